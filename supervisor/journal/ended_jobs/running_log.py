"""The log of a running job, in memory: for those who follow it, and to be kept when the job is over."""

import asyncio
import datetime
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from supervisor.journal.ended_jobs.line_ring import LineRing, Portion
from supervisor.log.event import Event
from supervisor.log.events.ended_jobs import JobLinesLeftOut
from supervisor.log.format import iso_time

PORTION_BYTES: Final = 64 * 1024
"""The most that a reader gets at once."""

_LAST_LINE_CHARS: Final = 200
_ABOUT_THE_JOB: Final = frozenset({"job", "block", "step"})


class RunningLog:
    """Takes a job's masked lines, each as a JSON object on a line. See `LineRing` for how many are kept.

    Each follower has its own place in the log, and nothing waits for a follower. If one is too slow, lines are missing
    for it, and a line says so. `clock` gives seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.lines = LineRing()
        self.last_line = ""
        """The text of the last line, cut."""
        self.ended = False
        self._clock = clock
        self._changed: asyncio.Event | None = None
        """Set with the next line. It exists only while somebody waits for a line."""

    def take(self, level: int, event: str, message: str, facts: Mapping[str, object]) -> None:
        """Take a line; see `LineHearer`."""
        self.lines.append(line_of(self._clock(), level, event, message, facts))
        self.last_line = message[:_LAST_LINE_CHARS]
        self._wake()

    def tell(self, event: Event) -> None:
        """Take an event of the worker about this job."""
        facts = {name: value for name, value in event.facts.items() if name not in _ABOUT_THE_JOB}
        self.lines.append(line_of(self._clock(), event.level, event.name, event.message, facts))
        self._wake()

    def close(self) -> None:
        """Note that no line will follow."""
        self.ended = True
        self._wake()

    def read(self, line: int, most_bytes: int = PORTION_BYTES) -> Portion:
        """Return the lines from `line` on, as far as they exist. If lines are missing, a line says so."""
        portion = self.lines.read(line, most_bytes)
        if not portion.left_out_lines:
            return portion
        gap = left_out_line(self._clock(), portion.left_out_lines)
        return Portion(gap + portion.text, portion.next_line, portion.left_out_lines)

    async def wait(self, line: int) -> None:
        """Wait until `line` exists, or no line follows any more."""
        while line >= self.lines.lines and not self.ended:
            if self._changed is None:
                self._changed = asyncio.Event()
            await self._changed.wait()

    def text(self) -> bytes:
        """Return the whole kept log, with a line in the place of missing ones."""
        left_out = self.lines.left_out_lines
        gap = left_out_line(self._clock(), left_out, self.lines.left_out_bytes) if left_out else b""
        return self.lines.head() + gap + self.lines.tail()

    def _wake(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None


def line_of(at: float, level: int, event: str, message: str, facts: Mapping[str, object]) -> bytes:
    """Return a line of a job's log: the fields of the worker's JSON log, without those that name the job."""
    fields: dict[str, object] = {
        "time": iso_time(datetime.datetime.fromtimestamp(at, datetime.UTC)),
        "level": logging.getLevelName(level),
        "event": event,
        "message": message,
        **facts,
    }
    text = json.dumps(fields, ensure_ascii=False, default=str)
    return text.encode(errors="backslashreplace") + b"\n"


def left_out_line(at: float, lines: int, size_bytes: int | None = None) -> bytes:
    """Return the line that stands in the place of missing lines."""
    event = JobLinesLeftOut(lines=lines, left_out_bytes=size_bytes)
    return line_of(at, event.level, event.name, event.message, event.facts)
