"""Until when something may take: what each blocking step on a device is given."""

from __future__ import annotations

import time
from collections.abc import Callable

from sdk.errors import SdkError


class DeadlineError(SdkError):
    """The deadline has passed. It never leaves `sdk.connection`: who knows what was going on makes a `DeviceError`."""


class Deadline:
    """A moment `seconds` from now. `clock` is in seconds.

    `seconds` is the limit as it was given, for messages.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    @property
    def left_seconds(self) -> float:
        """How long from now; 0.0 when it has passed."""
        return max(0.0, self._end - self._clock())

    @property
    def has_passed(self) -> bool:
        """Whether nothing is left."""
        return self.left_seconds <= 0

    def shorter(self, seconds: float) -> Deadline:
        """Return a deadline in `seconds`, but no later than this one."""
        return Deadline(min(seconds, self.left_seconds), self._clock)

    def check(self) -> None:
        """Do nothing while time is left. Raises `DeadlineError`, which the session turns into a `DeviceError`."""
        if self.has_passed:
            raise DeadlineError
