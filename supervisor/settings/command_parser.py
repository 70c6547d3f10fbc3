"""The parser of a command line: what is wrong is said in one line each, with what was most likely meant."""

import argparse
import difflib
import importlib.metadata
import re
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

EXIT_USAGE: Final = 2
DISTRIBUTION: Final = "neops-supervisor"
_ALIKE: Final = 0.6
_NEGATIVE_NUMBER: Final = re.compile(r"-\d+|-\d*\.\d+")


class CommandParser(argparse.ArgumentParser):
    """As `argparse.ArgumentParser`, without abbreviations, and without the whole usage for each slip.

    Every unknown flag is told, before anything else: what follows from it, such as a word too many, is no news.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    # argparse has an overload for each kind of namespace, and pydantic-settings passes none.
    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, args: Any = None, namespace: Any = None
    ) -> Any:
        """See `argparse.ArgumentParser.parse_known_args`. Exits with status 2 for what is not known."""
        words = sys.argv[1:] if args is None else list(args)
        if unknown := self._unknown_flags(words):
            self._refuse(*map(self._no_such_flag, unknown))
        parsed, surplus = super().parse_known_args(words, namespace)
        if surplus:
            listed = ", ".join(map(repr, surplus))
            self._refuse(f"there is no place for {listed} on this command line.")
        return parsed, surplus

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to look, and exit with status 2."""
        self._refuse(f"{message}.")

    def _unknown_flags(self, words: Sequence[str]) -> list[str]:
        """Return the words that argparse would take for flags, and that are none."""
        own = words[: words.index("--")] if "--" in words else words
        names = (word.partition("=")[0] for word in own if _looks_like_a_flag(word))
        return list(dict.fromkeys(name for name in names if name not in self._option_string_actions))

    def _no_such_flag(self, name: str) -> str:
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
