"""What the log is told of those that were refused: the first at once, and of many that follow only how many."""

import logging
import time
from collections.abc import Callable
from typing import Final

from supervisor.log.event import tell
from supervisor.log.events.health import HealthRefused

_log = logging.getLogger(__name__)

TELL_SECONDS: Final = 60.0
"""How long further ones are only counted."""


class Refusals:
    """Tells of refused requests, however many there are. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_at = float("-inf")
        self._untold = 0

    def tell(self, reason: str) -> None:
        """Tell of one, or count it."""
        if self._clock() < self._told_at + TELL_SECONDS:
            self._untold += 1
            return
        self._told_at = self._clock()
        untold, self._untold = self._untold, 0
        tell(_log, HealthRefused(reason=reason, more=untold))
