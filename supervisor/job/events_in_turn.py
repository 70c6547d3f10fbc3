"""The events of one job: each is handled where it arises, without a turn of the loop, and never inside another one."""

import asyncio
from collections import deque
from collections.abc import Callable

from supervisor.lifecycle.events import Conclude, JobEvent


class EventsInTurn:
    """Takes events at any time. They are handled in the order in which they came.

    An event that comes while another one is handled is handled after it: no handler sees a half-changed state. Events
    that come before `handle_all` wait for it, and events after the end are dropped.
    """

    def __init__(self) -> None:
        self._waiting: deque[JobEvent] = deque()
        self._handle: Callable[[JobEvent], None] | None = None
        """The handler of events; `None` before and after `handle_all`, and while an event is being handled."""
        self._end: asyncio.Future[Conclude | BaseException] = asyncio.get_running_loop().create_future()

    def put(self, event: JobEvent) -> None:
        """Handle an event, at once if possible. Raises nothing: `handle_all` raises the handler's failure."""
        self._waiting.append(event)
        if self._handle is not None:
            self._handle_waiting(self._handle)

    def end(self, end: Conclude | BaseException) -> None:
        """Make `handle_all` return this, or raise it. The first call counts."""
        if not self._end.done():  # it is also done if `handle_all` was cancelled
            self._end.set_result(end)

    async def handle_all(self, handle: Callable[[JobEvent], None]) -> Conclude:
        """Call `handle` with each event, until `end` is called. Raises what `handle` raises, whoever put the event.

        Call it once.
        """
        try:
            self._handle_waiting(handle)
            end = await self._end
        finally:
            # This object must not keep the handler's owner alive, and late events must not call it.
            self._handle = None
        if isinstance(end, BaseException):
            raise end
        return end

    def _handle_waiting(self, handle: Callable[[JobEvent], None]) -> None:
        self._handle = None
        try:
            while self._waiting and not self._end.done():
                handle(self._waiting.popleft())
        except BaseException as error:  # a bug of ours, and not one of the code that put the event
            self.end(error)
        self._handle = handle
