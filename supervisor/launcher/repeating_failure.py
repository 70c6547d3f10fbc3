"""A failure that comes again at each try: logged at once, then from time to time, and once more when it is over."""

import logging
import time
from collections.abc import Callable
from typing import Final

from supervisor.log.event import Event, tell

AGAIN_SECONDS: Final = 30.0


class RepeatingFailure:
    """Logs one kind of failure. The same text is logged again after half a minute. `clock` is monotonic."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._text: str | None = None
        self._said_at = 0.0

    def failed(self, event: Event, *, level: int | None = None, error: BaseException | None = None) -> None:
        """Log the failure; with the traceback of `error`, if given."""
        now = self._clock()
        if event.message != self._text or now >= self._said_at + AGAIN_SECONDS:
            self._text, self._said_at = event.message, now
            tell(self._logger, event, level=level, error=error)

    def over(self, event: Event) -> None:
        """Log that it works again, if a failure was logged before."""
        if self._text is not None:
            self._text = None
            tell(self._logger, event)
