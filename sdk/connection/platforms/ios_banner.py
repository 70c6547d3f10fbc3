"""Texts of several lines as IOS takes them: `banner motd ~`, the lines, and the sign once more.

IOS prints `^C` for whatever sign was typed. Typed as two characters, the sign would be `^`, and a `C` in the text.
"""

from __future__ import annotations

from typing import Final

from sdk.connection.deadline import Deadline
from sdk.connection.errors import UnexpectedAnswerError
from sdk.connection.platforms.platform import DeviceSession
from sdk.connection.platforms.typed_configuration import refusal_in

_SIGNS: Final = "~@|%#+=*;&$"
_ASKED: Final = r"end with the character"
_AT_ONCE: Final = ""  # nothing is said between two lines of the text


def typed_lines(head: str, content: str) -> list[str] | None:
    """Return the lines to type for `head` (`banner motd `) and what stands between its signs.

    None: each sign that could end the text is in it.
    """
    sign = next((each for each in _SIGNS if each not in content), None)
    return None if sign is None else f"{head}{sign}{content}{sign}".split("\n")


def type_lines(session: DeviceSession, lines: list[str], deadline: Deadline) -> str:
    """Type a text, and return the device's words if it does not ask for it, or refuses it.

    Its lines are only sent when the device has asked for them: at a prompt they would be commands.
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
