"""The parser of a command line: it reports each mistake in one line, with the flag that was most likely meant."""

import argparse
import contextlib
import importlib.metadata
import re
import sys
from collections.abc import Container, Sequence
from typing import Any, Final, NoReturn

from pydantic_core import ErrorDetails

from supervisor.errors import SupervisorError

EXIT_USAGE: Final = 2
DISTRIBUTION: Final = "neops-supervisor"
_ALIKE: Final = 0.6
_HELP: Final = ("-h", "--help")
_NEGATIVE_NUMBER: Final = re.compile(r"-\d+|-\d*\.\d+")


class UnknownFlagsError(SupervisorError):
    """Some flags are unknown, and some values are wrong. `unknown` are sentences, `invalid` is pydantic's result."""

    def __init__(self, unknown: Sequence[str], invalid: Sequence[ErrorDetails]) -> None:
        super().__init__(*unknown)
        self.unknown = unknown
        self.invalid = invalid


class CommandParser(argparse.ArgumentParser):
    """Same as `argparse.ArgumentParser`, without abbreviations, and without the whole usage for each mistake.

    Unknown flags are reported first: their consequences, such as an extra word, are not reported. With `keep_unknown`
    they are kept in `unknown`, a sentence each, and the rest is read without them. So the caller can also report wrong
    values.

    A flag with an empty value is refused, except those in `may_be_empty`. The value comes from an unset variable of the
    shell. If the flag were ignored, the command would act on something that was not meant.
    """

    def __init__(
        self, *, keep_unknown: bool = False, may_be_empty: Container[str] = (), **options: Any
    ) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.unknown: list[str] = []
        self._keep_unknown = keep_unknown
        self._may_be_empty = may_be_empty

    # argparse has an overload for each kind of namespace, and pydantic-settings passes none.
    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """See `argparse.ArgumentParser.parse_known_args`. Exits with status 2 for wrong usage."""
        words = sys.argv[1:] if args is None else list(args)
        unknown, others = self._told_apart(words)
        if unknown:
            self.unknown = list(map(self._no_such_flag, unknown))
            if not self._keep_unknown:
                self.refuse_unknown()
            words = others
        parsed, surplus = super().parse_known_args(words, namespace)
        if surplus and not self.unknown:
            listed = ", ".join(map(repr, surplus))
            self._refuse(f"unexpected argument{'s' * (len(surplus) > 1)} {listed}.")
        if empty := self._empty_flags(parsed):
            self._refuse(*self.unknown, *empty)
        return parsed, surplus

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to look, and exit with status 2."""
        if self.unknown:
            self.refuse_unknown()
        self._refuse(f"{message}.")

    def _print_message(self, message: str, file: Any = None) -> None:
        # Same as Python after 3.11.2: if nobody reads the message, it is dropped.
        with contextlib.suppress(AttributeError, OSError):
            super()._print_message(message, file)

    def refuse_unknown(self) -> NoReturn:
        """Say which flags do not exist, and exit with status 2."""
        self._refuse(*self.unknown)

    def _told_apart(self, words: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the unknown flags, once each, and the other words without them and their likely values.

        The words contain no call for help: it would end the command before anything is reported.
        """
        unknown: dict[str, None] = {}
        others: list[str] = []
        is_value = False
        for number, word in enumerate(words):
            if word == "--":
                others += words[number:]
                break
            name, equals, _ = word.partition("=")
            if not _looks_like_a_flag(word):
                others += [] if is_value else [word]
                is_value = False
            elif name in self._option_string_actions:
                others += [] if name in _HELP else [word]
                is_value = False
            else:
                unknown[name] = None
                is_value = not equals
        return list(unknown), others

    def _empty_flags(self, parsed: argparse.Namespace) -> list[str]:
        """Return a sentence for each flag that has no value after it, or an empty one."""
        given = {action: getattr(parsed, action.dest, None) for action in self._actions}
        return [
            f"{action.option_strings[0]} needs a value, and is empty: is a variable of the shell not set?"
            for action, value in given.items()
            if (value == "" or (isinstance(value, list) and "" in value))
            and action.option_strings
            and action.option_strings[0] not in self._may_be_empty
        ]

    def _no_such_flag(self, name: str) -> str:
        import difflib  # only for a mistyped flag; a worker does not need it

        near = difflib.get_close_matches(name, self._option_string_actions, n=1, cutoff=_ALIKE)
        return f"there is no flag {name}." + (f" Did you mean {near[0]}?" if near else "")

    def _refuse(self, *problems: str) -> NoReturn:
        *first, last = (f"{self.prog}: {problem}" for problem in problems)
        self.exit(EXIT_USAGE, "\n".join([*first, f"{last} All flags: {self.prog} --help\n"]))


def _looks_like_a_flag(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and " " not in word and not _NEGATIVE_NUMBER.fullmatch(word)


def version_text() -> str:
    """Return what `--version` prints."""
    try:
        return f"{DISTRIBUTION} {importlib.metadata.version(DISTRIBUTION)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{DISTRIBUTION}, from a checkout that is not installed"
