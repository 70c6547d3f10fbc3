"""A plan: which lines will be sent to a device, and what should be the result. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sdk.connection.changes.dialect import Dialect
from sdk.connection.changes.lines import (
    ConfigurationLine,
    Tree,
    TypedLine,
    fingerprint_of,
    paths_of,
    unified_diff,
)
from sdk.connection.changes.prediction import predict_line
from sdk.connection.changes.secrecy import without_secrets
from sdk.errors import SdkError

# They run a command of another mode, or switch the mode.
_NO_CONFIGURATION: Final = re.compile(r"(do|configure|conf)( |$)")
_SHOWN_CHARS: Final = 200

_UNKNOWN_GIVEN: Final = (
    "it has U+FFFD in it, which stands for what is no UTF-8: the device would take it for another text. "
    "Leave the line out, and change it on the device."
)
_UNKNOWN_REMOVED: Final = (
    "the device has this line, with bytes that are no UTF-8 (U+FFFD stands for them), and the change would remove or "
    "replace it. It could not be given back. Leave out what does so, or change this line on the device first."
)


class LinesError(SdkError, ValueError):
    """Lines that can't be planned: none, some that can't be sent, or some that remove what nobody could give back.

    `line` is the line that can't be sent, or the line of the device; None if there is none.
    """

    def __init__(self, problem: str, line: str | None = None) -> None:
        super().__init__(problem if line is None else f"Line {line[:_SHOWN_CHARS]!r}: {problem}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Plan:
    """What `Connection.plan` returns. It is a prediction: the device decides, and `Connection.apply` compares.

    `diff` is a unified diff between the present and the predicted configuration. `commands` is what will be sent, in
    this order. `base_fingerprint` shows whether the device is still the same. `without_effect` are lines that the
    configuration has already: they are not sent. `configuration` is the one that the plan was made for. `repr` prints
    none of it: configurations hold secrets.
    """

    diff: str = field(repr=False)
    commands: tuple[ConfigurationLine, ...] = field(repr=False)
    base_fingerprint: str
    without_effect: tuple[ConfigurationLine, ...] = field(default=(), repr=False)
    configuration: str = field(default="", repr=False)
    base: Tree = field(default=(), repr=False)
    predicted: Tree = field(default=(), repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to send: the configuration has all lines already."""
        return not self.commands


def plan_lines(configuration: str, lines: str | Iterable[str], dialect: Dialect) -> Plan:
    """Plan to send `lines` to the device that has printed `configuration`.

    The lines of a section are indented below its header, as the device prints them. Comments and lines that only end a
    section are left out.

    Raises:
        LinesError: there are no lines, some that can't be sent, or some that remove a line of the device that
            nobody could give back.
    """
    plan = foretell(configuration, lines, dialect)
    _check_bytes(plan.commands)
    left = frozenset(paths_of(plan.predicted))
    for line in paths_of(plan.base):
        if line.has_unknown_bytes and line not in left:
            raise LinesError(_UNKNOWN_REMOVED, without_secrets(str(line)))
    return plan


def foretell(configuration: str, lines: str | Iterable[str], dialect: Dialect) -> Plan:
    """Plan like `plan_lines`, even what nobody could take back: a rollback may meet lines that were sent before.

    Raises:
        LinesError: there are no lines, or some that can't be sent.
    """
    wanted = dialect.read_lines(_checked(lines, dialect))
    if not wanted:
        raise LinesError("There are no lines to send. Give at least one line of configuration.")
    base = predicted = dialect.read(configuration)
    commands: list[ConfigurationLine] = []
    idle: list[ConfigurationLine] = []
    for line, has_children in _in_order(wanted):
        _check_whole(line, dialect)
        if _holds(predicted, line):
            if not has_children:
                idle.append(line)
            continue
        commands.append(line)
        predicted = predict_line(predicted, line, dialect)
    return Plan(
        diff=unified_diff(base, predicted),
        commands=tuple(commands),
        base_fingerprint=fingerprint_of(base),
        without_effect=tuple(idle),
        configuration=configuration,
        base=base,
        predicted=predicted,
    )


def plan_typed(configuration: str, lines: str | Iterable[str], dialect: Dialect) -> Plan:
    """Plan to send `lines` as a person types them: a header leads into its section, `exit` and `end` lead out.

    Only the device knows to which section a line belongs. So there is no prediction: `diff` is empty, and `predicted`
    is the present configuration. Lines that the configuration has already are sent, too. Without lines the plan is
    empty.

    Raises:
        LinesError: there are lines that can't be sent.
    """
    base = dialect.read(configuration)
    commands = tuple(TypedLine(text) for text in dialect.read_typed(_checked(lines, dialect)))
    for line in commands:
        _check_whole(line, dialect)
    _check_bytes(commands)
    return Plan(
        diff="",
        commands=commands,
        base_fingerprint=fingerprint_of(base),
        configuration=configuration,
        base=base,
        predicted=base,
    )


def _check_bytes(commands: Iterable[ConfigurationLine]) -> None:
    for line in commands:
        if line.has_unknown_bytes:
            raise LinesError(_UNKNOWN_GIVEN, str(line))


def _check_whole(line: ConfigurationLine, dialect: Dialect) -> None:
    if any(dialect.unsendable.match(text) for text in (line.text, *line.parents)):
        raise LinesError(
            "what it holds can't be sent line by line. Leave it out, and import it on the device.", line.text
        )
    match = dialect.blocks.match(line.text)
    if match is not None and dialect.block(line.text) is None:
        raise LinesError(f"its text has no end. Write {match[1]!r} once more behind it.", line.text)


def _checked(lines: str | Iterable[str], dialect: Dialect) -> list[str]:
    given = [
        _without_tabs(part)
        for line in ([lines] if isinstance(lines, str) else lines)
        for part in line.splitlines()
    ]
    for line in given:
        text = line.strip()
        if not text.isprintable():
            raise LinesError("it has control characters. Take them out.", text)
        if "?" in text:
            raise LinesError("a question mark asks the device for help. Take it out.", text)
    for line in dialect.without_blocks(given):
        if _NO_CONFIGURATION.match(line.strip()):
            raise LinesError(
                "it is no line of configuration. Leave it out: modes are entered and left for you.",
                line.strip(),
            )
    return given


def _without_tabs(line: str) -> str:
    """Return a line with blanks for the tabs in it: to a device, a tab is a key that completes a word."""
    text = line.lstrip()
    return line[: len(line) - len(text)] + text.replace("\t", " ")


def _in_order(tree: Tree, parents: tuple[str, ...] = ()) -> list[tuple[ConfigurationLine, bool]]:
    every: list[tuple[ConfigurationLine, bool]] = []
    for line in tree:
        every.append((ConfigurationLine(line.text, parents), bool(line.children)))
        every += _in_order(line.children, (*parents, line.text))
    return every


def _holds(tree: Tree, line: ConfigurationLine) -> bool:
    for header in line.parents:
        tree = next((each.children for each in tree if each.text == header), ())
    return any(each.text == line.text for each in tree)
