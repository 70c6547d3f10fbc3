"""How IOS reads a command line: every word may be cut short as long as it stays unique.

Pure functions over a table; nothing here knows a single command.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

StateT = TypeVar("StateT")

WORD = "<word>"
REST = "<rest>"


class CommandLineError(Exception):
    """A line that the table does not accept; `str()` is what the device prints."""


class InvalidInputError(CommandLineError):
    """No command has this word here. `column` is where in the line the word stands, for the marker."""

    def __init__(self, column: int) -> None:
        super().__init__("% Invalid input detected at '^' marker.")
        self.column = column


@dataclass(frozen=True, slots=True)
class Command(Generic[StateT]):
    """One command: its words (`<word>` takes any word, `<rest>` all that is left) and what it does.

    The action gets the session's state and the words that stood for placeholders; it returns the output.
    """

    syntax: str
    action: Callable[[StateT, tuple[str, ...]], str]
    words: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.syntax.split()))


def find_command(line: str, commands: Sequence[Command[StateT]]) -> tuple[Command[StateT], tuple[str, ...]]:
    """Return the command that `line` means, and its arguments.

    Raises:
        InvalidInputError: a word fits no command, or too many words were given.
        CommandLineError: the line is ambiguous, or stops before any command is complete.
    """
    candidates = list(commands)
    arguments: list[str] = []
    for index, (column, word) in enumerate(_words_with_columns(line)):
        candidates = _narrow(line, column, word, index, candidates)
        expected = candidates[0].words[index]
        if expected == REST:
            return candidates[0], (*arguments, line[column:].strip())
        if expected == WORD:
            arguments.append(word)
    word_count = len(line.split())
    for command in candidates:
        if len(command.words) == word_count:
            return command, tuple(arguments)
    raise CommandLineError("% Incomplete command.")


def _narrow(
    line: str, column: int, word: str, index: int, candidates: list[Command[StateT]]
) -> list[Command[StateT]]:
    """Keep the commands that `word` can mean at `index`: exact before shortened before placeholder."""
    longer = [command for command in candidates if len(command.words) > index]
    typed = word.lower()
    exact = [command for command in longer if command.words[index] == typed]
    if exact:
        return exact
    shortened = [command for command in longer if command.words[index].startswith(typed)]
    if len({command.words[index] for command in shortened}) > 1:
        raise CommandLineError(f'% Ambiguous command:  "{line.strip()}"')
    if shortened:
        return shortened
    for placeholder in (WORD, REST):
        open_ended = [command for command in longer if command.words[index] == placeholder]
        if open_ended:
            return open_ended
    raise InvalidInputError(column)


def _words_with_columns(line: str) -> list[tuple[int, str]]:
    columns: list[tuple[int, str]] = []
    position = 0
    for word in line.split():
        position = line.index(word, position)
        columns.append((position, word))
        position += len(word)
    return columns
