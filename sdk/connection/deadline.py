"""Deadlines: until when each blocking step on a device may take."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from numbers import Real
from typing import Any, Final

from sdk.errors import SdkError

_MOST_SECONDS: Final = threading.TIMEOUT_MAX / 2
"""Locks and sockets accept no more. Half of it, because some wait a little longer than they are told."""


class DeadlineError(SdkError):
    """The deadline has passed. It never leaves `sdk.connection`: the code around makes a `DeviceError` of it."""


def checked_seconds(seconds: Any, name: str) -> float:
    """Return a limit that an author has given as the parameter `name`, if it is possible to wait so long.

    Raises:
        TypeError: it is not a number.
        ValueError: it is infinite, or longer than anything can wait.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"{name} is {seconds!r}. Give seconds: each step on a device has a limit.")
    if not seconds <= _MOST_SECONDS or seconds == -math.inf:  # in this form it is also true for nan
        raise ValueError(f"{name} is {seconds}. Give seconds: each step on a device has a limit.")
    return float(seconds)


class Deadline:
    """A moment `seconds` from now. `clock` is in seconds.

    `seconds` is the limit as given, for messages.

    Raises:
        TypeError: `seconds` is not a number.
        ValueError: it is infinite, or longer than anything can wait.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        checked_seconds(seconds, "timeout")
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    @property
    def left_seconds(self) -> float:
        """The seconds from now; 0.0 if it has passed."""
        return max(0.0, self._end - self._clock())

    @property
    def has_passed(self) -> bool:
        """Whether no time is left."""
        return self.left_seconds <= 0

    def shorter(self, seconds: float) -> Deadline:
        """Return a deadline in `seconds`, but no later than this one."""
        return Deadline(min(seconds, self.left_seconds), self._clock)

    def check(self) -> None:
        """Do nothing if time is left. Raises `DeadlineError`, from which the session makes a `DeviceError`."""
        if self.has_passed:
            raise DeadlineError
