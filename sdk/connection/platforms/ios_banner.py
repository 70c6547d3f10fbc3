"""Texts of several lines in the form that IOS accepts: `banner motd ~`, the lines, and the sign again.

IOS prints `^C` for any sign. If it is typed as two characters, IOS takes `^` for the sign, and `C` for the text.
"""

from __future__ import annotations

from typing import Final

from sdk.connection.deadline import Deadline
from sdk.connection.errors import UnexpectedAnswerError
from sdk.connection.platforms.platform import DeviceSession
from sdk.connection.platforms.typed_configuration import refusal_in

_SIGNS: Final = "~@|%#+=*;&$"
_ASKED: Final = r"end with the character"
_AT_ONCE: Final = ""  # the device says nothing between two lines of the text


def typed_lines(head: str, content: str) -> list[str] | None:
    """Return the lines to type for `head` (`banner motd `) and for the text between its signs.

    None: the text contains each sign that could end it.
    """
    sign = next((each for each in _SIGNS if each not in content), None)
    return None if sign is None else f"{head}{sign}{content}{sign}".split("\n")


def type_lines(session: DeviceSession, lines: list[str], deadline: Deadline) -> str:
    """Type a text. Return the device's words if it does not ask for the text, or refuses it.

    The lines are sent only after the device has asked for them: at a prompt they would be commands.
    """
    if len(lines) == 1:
        return refusal_in(session.interact([(lines[0], None)], deadline=deadline).text)
    try:
        session.interact([(lines[0], _ASKED)], deadline=deadline)
    except UnexpectedAnswerError as error:
        return f"it does not take the text of {lines[0]!r}: {error.last_line}"
    last = len(lines) - 1
    steps = [(line, None if number == last else _AT_ONCE) for number, line in enumerate(lines) if number]
    session.interact(steps, deadline=deadline)
    return ""
