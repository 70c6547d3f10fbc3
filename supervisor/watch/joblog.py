"""The log of one job: what its block logs and prints, labelled, masked, and limited in rate."""

import logging
import time
from collections.abc import Callable
from typing import Final

from jobrunner.protocol.messages import Log

_log = logging.getLogger("job")

LINES_A_SECOND: Final = 200
"""What a job may log in the long run; more is dropped, counted and said."""

_TELL_SECONDS: Final = 1.0

BURST_LINES: Final = 2000
"""What it may log at once."""


class JobLog:
    """Passes a job's lines on to the worker's log.

    A block that logs without end would otherwise cost the loop its time and the disk its space.
    """

    def __init__(self, job_id: str, block_id: str, mask: Callable[[str], str]) -> None:
        self.mask = mask
        self._extra = {"job": job_id, "block": block_id}
        self._allowance = float(BURST_LINES)
        self._refilled_at = time.monotonic()
        self._dropped = 0
        self._told_at = 0.0

    def record(self, log: Log) -> None:
        """Pass on a log record of the block."""
        if self._may_pass():
            _log.log(log.level, "%s", self.mask(log.text), extra=self._extra)

    def printed(self, stream: str, line: str) -> None:
        """Pass on a line that was printed to stdout or stderr."""
        if self._may_pass():
            _log.info("%s", self.mask(line), extra={**self._extra, "stream": stream})

    @property
    def is_open(self) -> bool:
        """Whether a line would be passed on now."""
        now = time.monotonic()
        self._allowance = min(BURST_LINES, self._allowance + (now - self._refilled_at) * LINES_A_SECOND)
        self._refilled_at = now
        return self._allowance >= 1

    def skip(self, lines: int) -> None:
        """Count lines that are dropped unseen."""
        self._dropped += lines

    def _may_pass(self) -> bool:
        if not self.is_open:
            self._dropped += 1
            return False
        self._allowance -= 1
        # At most once a second: in a flood every two-hundredth of a second another line may pass.
        if self._refilled_at >= self._told_at + _TELL_SECONDS:
            self._tell_dropped()
        return True

    def _tell_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._told_at = time.monotonic()
            text = "%d lines of this job were dropped: it logs more than %d a second."
            _log.warning(text, dropped, LINES_A_SECOND, extra=self._extra)

    def tell(self, level: int, text: str, **facts: float) -> None:
        """Log a line of the worker's own about this job. It counts against no rate, and is masked all the same.

        ``facts`` become attributes of the record, for whoever must not read them out of the text.
        """
        _log.log(level, "%s", self.mask(text), extra={**self._extra, **facts})

    def close(self) -> None:
        """Say what was dropped last."""
        self._tell_dropped()
