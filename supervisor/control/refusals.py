"""What the log is told of peers that were refused: the first at once, and of many that follow only how many."""

import logging
import time
from collections.abc import Callable
from typing import Final

from supervisor.control.peers import RefusedError
from supervisor.log.event import tell
from supervisor.log.events.control import ControlRefused, ControlRefusedMore

_log = logging.getLogger(__name__)

TELL_SECONDS: Final = 60.0
"""How long further ones are only counted. `clock` is monotonic, in seconds."""


class Refusals:
    """Tells of refused peers, however many there are."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_at = float("-inf")
        self._untold = 0

    def tell(self, refused: RefusedError) -> None:
        """Tell of one, or count it."""
        if self._clock() < self._told_at + TELL_SECONDS:
            self._untold += 1
            return
        self.tell_rest()
        self._told_at = self._clock()
        tell(_log, ControlRefused(pid=refused.pid, uid=refused.uid, reason=str(refused)))

    def tell_rest(self) -> None:
        """Tell how many were only counted."""
        if self._untold:
            untold, self._untold = self._untold, 0
            tell(_log, ControlRefusedMore(connections=untold))
