"""How the emulated device finds the command in a line: a table of commands, and a table of short words.

It has no grammar on purpose: a word is either in the table, or an abbreviation that people type. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sdk.errors import SdkError

StateT = TypeVar("StateT")

# `interfaces` and `interface` are one word, as on IOS.
ABBREVIATIONS: Final[Mapping[str, str]] = {
    "addr": "address",
    "br": "brief",
    "brie": "brief",
    "conf": "configure",
    "config": "configure",
    "desc": "description",
    "det": "detail",
    "dis": "disable",
    "en": "enable",
    "ena": "enable",
    "ex": "exit",
    "int": "interface",
    "interfaces": "interface",
    "len": "length",
    "mem": "memory",
    "neigh": "neighbors",
    "nei": "neighbors",
    "run": "running-config",
    "sh": "show",
    "sho": "show",
    "shut": "shutdown",
    "start": "startup-config",
    "stat": "status",
    "t": "terminal",
    "term": "terminal",
    "ver": "version",
    "wr": "write",
}

ARGUMENT: Final = " ..."
OPTIONAL: Final = " [...]"


class CommandLineError(SdkError):
    """A line that the table does not accept. `str()` is the text that the device prints."""


class InvalidInputError(CommandLineError):
    """No command has this word here. `column` is the place of the word in the line, for the marker."""

    def __init__(self, column: int) -> None:
        super().__init__("% Invalid input detected at '^' marker.")
        self.column = column


@dataclass(frozen=True, slots=True)
class _Command(Generic[StateT]):
    action: Callable[[StateT, str], str]
    takes: bool
    needs: bool


class CommandTable(Generic[StateT]):
    """Commands by their words. A command that ends in ` ...` has an argument; with ` [...]` it may have one.

    An action gets the session's state and the argument as typed, and returns the output.
    """

    def __init__(self, commands: Mapping[str, Callable[[StateT, str], str]]) -> None:
        self._commands: dict[tuple[str, ...], _Command[StateT]] = {}
        self._beginnings: set[tuple[str, ...]] = set()
        for syntax, action in commands.items():
            needs, takes = syntax.endswith(ARGUMENT), syntax.endswith((ARGUMENT, OPTIONAL))
            words = tuple(_full(word) for word in syntax.split()[: -1 if takes else None])
            self._commands[words] = _Command(action, takes, needs)
            self._beginnings |= {words[:count] for count in range(len(words) + 1)}

    def find(self, line: str) -> tuple[Callable[[StateT, str], str], str]:
        """Return what `line` does, and its argument.

        Raises:
            InvalidInputError: a word fits no command, or there are too many words.
            CommandLineError: the line ends before a command is complete.
        """
        found = list(_words_with_columns(line))
        words = tuple(_full(word) for _, word in found)
        for count in range(len(words), 0, -1):
            command = self._commands.get(words[:count])
            if command is None:
                continue
            argument = line[found[count][0] :].strip() if count < len(found) else ""
            if argument and not command.takes:
                raise InvalidInputError(found[count][0])
            if command.needs and not argument:
                raise CommandLineError("% Incomplete command.")
            return command.action, argument
        known = max(count for count in range(len(words) + 1) if words[:count] in self._beginnings)
        if known < len(words):
            raise InvalidInputError(found[known][0])
        raise CommandLineError("% Incomplete command.")


def _full(word: str) -> str:
    word = word.lower()
    return ABBREVIATIONS.get(word, word)


def _words_with_columns(line: str) -> Iterator[tuple[int, str]]:
    position = 0
    for word in line.split():
        position = line.index(word, position)
        yield position, word
        position += len(word)
