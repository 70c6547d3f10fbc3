"""An answer that may be large: while parts of it come, its time-out counts the silence, and not the whole time.

The answer to a poll is a claim. If the worker gave up an answer that still comes, its jobs would be lost each time.
"""

import asyncio
import math
from typing import Final

from supervisor.process.time_limit import TimeLimit, time_limit

LONGEST_SECONDS: Final = 120.0
"""How long it may take in all. By default, a job that comes later could not end before the engine gives it up."""


class Arrival:
    """One such answer. All times are seconds of the loop's clock."""

    def __init__(self, longest_seconds: float = LONGEST_SECONDS) -> None:
        self.heard_at = -math.inf
        """When the last part has come."""
        self._longest = longest_seconds
        self._silence = 0.0
        self._has_begun = False
        self._is_hurried = False
        self._limit: TimeLimit | None = None
        self._due_at = self._ends_at = math.inf

    def time_out(self, seconds: float) -> TimeLimit:
        """Return the time-out of a request. Each part of its answer puts the end off to so many seconds later."""
        now = asyncio.get_running_loop().time()
        self._silence, self._has_begun = seconds, False
        self._due_at = now + seconds
        self._ends_at = self._due_at if self._is_hurried else now + max(seconds, self._longest)
        self._limit = time_limit(seconds)
        return self._limit

    def part_came(self) -> None:
        """Note that a part of the answer has come."""
        self.heard_at = asyncio.get_running_loop().time()
        self._has_begun = True
        self._set(self.heard_at + self._silence)

    def hurry(self) -> None:
        """From now on, wait no longer than for any other answer: the worker stops."""
        self._is_hurried = True
        self._ends_at = min(self._ends_at, asyncio.get_running_loop().time() + self._silence)
        self._set(self._due_at)

    def why_late(self) -> str | None:
        """Say why an answer was given up that had begun to come; `None` if nothing of it has come."""
        if not self._has_begun:
            return None
        if self._due_at < self._ends_at:
            return f"nothing more of it came for {self._silence:g} s"
        if self._is_hurried:
            return "it was still coming when the worker stopped"
        return (
            f"it was still coming after {self._longest:g} s. With a lower --max-concurrent-jobs, the worker asks for "
            "fewer jobs at a time"
        )

    def _set(self, due_at: float) -> None:
        self._due_at = min(due_at, self._ends_at)
        if self._limit is not None:
            self._limit.reschedule(self._due_at)
