"""Something that many may cause again and again is reported once, and then only counted for a while."""

import time
from collections.abc import Callable
from typing import Final

TELL_SECONDS: Final = 60.0
"""How long later ones are only counted."""


class Repetition:
    """Decides which ones are reported, and counts the others. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_at = float("-inf")
        self._untold = 0

    def is_told(self) -> bool:
        """Whether to report this one: the first at once, then one after so much time."""
        now = self._clock()
        if now < self._told_at + TELL_SECONDS:
            self._untold += 1
            return False
        self._told_at = now
        return True

    def take_untold(self) -> int:
        """Return how many were only counted since the last call."""
        untold, self._untold = self._untold, 0
        return untold
