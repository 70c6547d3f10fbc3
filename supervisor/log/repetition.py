"""What many may cause without end is told once, and then for a while only counted."""

import time
from collections.abc import Callable
from typing import Final

TELL_SECONDS: Final = 60.0
"""How long further ones are only counted."""


class Repetition:
    """Decides whether one is told, and counts the others. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_at = float("-inf")
        self._untold = 0

    def is_told(self) -> bool:
        """Whether this one is to be told: the first at once, and one when so much time has passed."""
        now = self._clock()
        if now < self._told_at + TELL_SECONDS:
            self._untold += 1
            return False
        self._told_at = now
        return True

    def take_untold(self) -> int:
        """Return how many were only counted since this was asked last."""
        untold, self._untold = self._untold, 0
        return untold
