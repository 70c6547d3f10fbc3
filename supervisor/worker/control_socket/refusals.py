"""Logs refused clients: the first one at once, and later ones only as a number."""

import logging
import time
from collections.abc import Callable

from supervisor.log.event import tell
from supervisor.log.events.control import ControlRefused, ControlRefusedMore
from supervisor.log.repetition import Repetition
from supervisor.worker.control_socket.peers import RefusedError

_log = logging.getLogger(__name__)


class Refusals:
    """Logs refused clients, however many there are."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._repetition = Repetition(clock)

    def tell(self, refused: RefusedError) -> None:
        """Log one, or count it."""
        if self._repetition.is_told():
            self.tell_rest()
            tell(_log, ControlRefused(pid=refused.pid, uid=refused.uid, reason=str(refused)))

    def tell_rest(self) -> None:
        """Log how many were only counted."""
        if untold := self._repetition.take_untold():
            tell(_log, ControlRefusedMore(connections=untold))
