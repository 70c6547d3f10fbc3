"""What is sent to a device and received from it, line by line, masked: for people who look for a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.errors import fail
from sdk.connection.prompt import clean
from sdk.failure import headline
from sdk.masking import Hide, hiding, hiding_all

_LONGEST_LINE: Final = 2000


class SessionLog:
    """Gives each line to `write`, without secrets: those of the job, and `secrets`, those of the login.

    Its methods raise `SessionLogError` if `write` raises anything: that is not the device's fault.
    """

    def __init__(self, where: str, secrets: frozenset[str], write: Callable[[str], object]) -> None:
        self._where = where
        self._secrets = secrets
        self._write = write
        self._hide_of_the_job: Hide | None = None
        self._open_line = ""

    def received(self, text: str) -> None:
        """Take the text that came; a line is written when it has ended."""
        # A secret may arrive in two pieces, and so may a line feed.
        *lines, self._open_line = (self._open_line + text).split("\n")
        for line in lines:
            self._tell("<", line)

    def sent(self, text: str) -> None:
        """Take the line that was sent, after the text that came before it."""
        if self._open_line:
            self._tell("<", self._open_line)
            self._open_line = ""
        self._tell(">", text)

    def _tell(self, sign: str, text: str) -> None:
        line = self._hidden(clean(text).replace("\n", ""))
        shown = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …"
        try:
            self._write(f"{self._where} {sign} {shown}")
        except Exception as error:
            detail = headline(error, hiding(self._secrets))
            raise fail(Cause.SESSION_LOG_FAILED, self._where, secrets=self._secrets, detail=detail) from error

    def _hidden(self, line: str) -> str:
        # The job's original secrets stay the same. There may be so many that it takes minutes to prepare them. So this
        # happens once, at the first line, which a thread writes. What the block learns later is read for each line.
        if self._hide_of_the_job is None:
            self._hide_of_the_job = hiding_all()
        return hiding(self._secrets)(self._hide_of_the_job(line))
