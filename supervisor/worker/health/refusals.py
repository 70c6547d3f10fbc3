"""Logs refused requests: the first one at once, and later ones only as a number."""

import logging
import time
from collections.abc import Callable

from supervisor.log.event import tell
from supervisor.log.events.health import HealthRefused
from supervisor.log.repetition import Repetition

_log = logging.getLogger(__name__)


class Refusals:
    """Logs refused requests, however many there are. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._repetition = Repetition(clock)

    def tell(self, reason: str) -> None:
        """Log one, or count it."""
        if self._repetition.is_told():
            tell(_log, HealthRefused(reason=reason, more=self._repetition.take_untold()))
