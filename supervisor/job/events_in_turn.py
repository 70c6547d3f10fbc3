"""The events of one job: each is handled where it arises, and costs no turn of the loop; none within another."""

import asyncio
from collections import deque
from collections.abc import Callable

from supervisor.lifecycle.events import Conclude, JobEvent


class EventsInTurn:
    """Takes events at any time, and has them handled in the order in which they came.

    What comes while an event is handled is handled after it: nobody meets a state that is half told. What comes before
    `handle_all` waits for that, and what comes after the end is not handled.
    """

    def __init__(self) -> None:
        self._waiting: deque[JobEvent] = deque()
        self._handle: Callable[[JobEvent], None] | None = None
        """What handles an event now; `None` before and after `handle_all`, and while one is being handled."""
        self._end: asyncio.Future[Conclude | BaseException] = asyncio.get_running_loop().create_future()

    def put(self, event: JobEvent) -> None:
        """Have an event handled, at once where that is possible. Raises nothing: a failure is that of `handle_all`."""
        self._waiting.append(event)
        if self._handle is not None:
            self._handle_waiting(self._handle)

    def end(self, end: Conclude | BaseException) -> None:
        """Have `handle_all` return this, or raise it. The first counts."""
        if not self._end.done():  # it is, too, where `handle_all` was cancelled
            self._end.set_result(end)

    async def handle_all(self, handle: Callable[[JobEvent], None]) -> Conclude:
        """Have `handle` called with each event, until `end` is. Raises what `handle` raises, whoever has put the event.

        To be called once.
        """
        try:
            self._handle_waiting(handle)
            end = await self._end
        finally:
            # Its owner is not to be kept by this, nor called by those who put events late.
            self._handle = None
        if isinstance(end, BaseException):
            raise end
        return end

    def _handle_waiting(self, handle: Callable[[JobEvent], None]) -> None:
        self._handle = None
        try:
            while self._waiting and not self._end.done():
                handle(self._waiting.popleft())
        except BaseException as error:  # a bug of ours, which whoever has put the event can do nothing about
            self.end(error)
        self._handle = handle
