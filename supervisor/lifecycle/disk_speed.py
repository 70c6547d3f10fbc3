"""Whether a disk is slow, by how long its last writes took."""

from collections import deque
from typing import Final

SLOW_SECONDS: Final = 0.1
"""A flash disk takes a millisecond, a spinning one about 20."""

WRITES: Final = 8
"""So many in a row must be slow: a busy machine delays single ones."""

QUIET_SECONDS: Final = 60.0
"""A disk is fast again when no write was slow for so long."""


class DiskSpeed:
    """Gets the duration of each write. `is_slow` is what is known of the disk."""

    def __init__(self) -> None:
        self.is_slow = False
        self._slow_ones: deque[float] = deque(maxlen=WRITES)
        self._last_slow_at = 0.0

    @property
    def least_seconds(self) -> float:
        """The shortest of the last slow writes."""
        return min(self._slow_ones, default=0.0)

    def wrote(self, seconds: float, now: float) -> bool:
        """Note a write that ended `now`, by a monotonic clock. Returns whether `is_slow` has changed."""
        if seconds < SLOW_SECONDS:
            self._slow_ones.clear()
            was_slow, self.is_slow = self.is_slow, self.is_slow and now - self._last_slow_at < QUIET_SECONDS
            return was_slow is not self.is_slow
        self._last_slow_at = now
        self._slow_ones.append(seconds)
        if self.is_slow or len(self._slow_ones) < WRITES:
            return False
        self.is_slow = True
        return True
