"""Runs a line in the shell of an operating system, and trusts only an answer that ended well."""

from __future__ import annotations

from sdk.connection.causes import Cause
from sdk.connection.deadline import Deadline
from sdk.connection.errors import fail
from sdk.connection.platforms import refusals, shell_lines
from sdk.connection.platforms.platform import Platform


def ask_shell(platform: Platform, line: str, *, deadline: Deadline) -> str:
    """Run one line in the shell that the session is in, and return its whole output.

    Raises:
        NotSupportedError: the program is not there.
        RefusedCommandError: the line failed.
        UnreadableAnswerError: the output is longer than the size limit, or its end did not come.
    """
    where = platform.session.where
    reply = platform.session.send(shell_lines.with_status(line), deadline=deadline)
    end = None if reply.is_cut else shell_lines.ended(reply.text)
    if end is None:
        reason = (
            "it is longer than the size limit" if reply.is_cut else "it does not say how the command ended"
        )
        raise platform.unreadable(line, reason)
    if end.status == shell_lines.NOT_FOUND:
        raise platform.lacks(f"program {line.split()[0]} on this device")
    if end.status != 0:
        raise fail(Cause.REFUSED_COMMAND, where, last_line=refusals.words_of(end.output) or None, what=line)
    return end.output
