"""What is sent to a device and comes back, line by line, masked: for whoever looks for a fault."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from sdk.connection.causes import Cause
from sdk.connection.errors import fail
from sdk.connection.prompt import clean
from sdk.failure import headline
from sdk.masking import hiding

_log = logging.getLogger(__name__)
_LONGEST_LINE: Final = 2000


class SessionLog:
    """Hands each line to `write`, by default to the job's log at level info. `secrets` are masked in it.

    Its methods raise `SessionLogError` where `write` raises anything: the device has no part in that.
    """

    def __init__(
        self, where: str, secrets: frozenset[str], write: Callable[[str], object] | None = None
    ) -> None:
        self._where = where
        self._secrets = secrets
        self._write = write or (lambda text: _log.info("%s", text))
        self._open_line = ""

    def received(self, text: str) -> None:
        """Take what came; a line is written when it has ended."""
        # A secret may arrive in two pieces, and a line feed too.
        *lines, self._open_line = (self._open_line + text).split("\n")
        for line in lines:
            self._tell("<", line)

    def sent(self, text: str) -> None:
        """Take what was sent, after what came before it."""
        if self._open_line:
            self._tell("<", self._open_line)
            self._open_line = ""
        self._tell(">", text)

    def _tell(self, sign: str, text: str) -> None:
        line = hiding(self._secrets)(clean(text).replace("\n", ""))
        shown = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …"
        try:
            self._write(f"{self._where} {sign} {shown}")
        except Exception as error:
            detail = headline(error, hiding(self._secrets))
            raise fail(Cause.SESSION_LOG_FAILED, self._where, secrets=self._secrets, detail=detail) from error
