"""One look whether a job's event loop has shown that it runs, or whether it sleeps by its own choice."""

import asyncio
import time
from collections.abc import Callable

from supervisor.job.channel import ChannelReader
from supervisor.launcher.child import Child
from supervisor.lifecycle.events import ChannelChecked, JobEvent
from supervisor.process.sleep import MainThreadSleep
from supervisor.process.tasks import Tasks


class LoopCheck:
    """Looks on request. The result becomes an event of the job."""

    def __init__(
        self, child: Child, channel: ChannelReader, put: Callable[[JobEvent], None], tasks: Tasks
    ) -> None:
        self._child = child
        self._channel = channel
        self._put = put
        self._tasks = tasks
        self._sleep = MainThreadSleep(child.pid)

    def ticked(self) -> None:
        """Note that the loop ran."""
        self._sleep.begin()

    def look(self, *, sleeps: bool) -> None:
        """See whether the child has sent unread data. If it `sleeps`, only see whether it still does."""
        if sleeps and self._sleep.lasts():
            self._put(ChannelChecked(time.monotonic(), unread=False, slept=True))
        else:
            self._tasks.start(self._check_channel(), "check of a job's channel")

    async def _check_channel(self) -> None:
        unread = self._child.unread_bytes() > 0
        # Data that is not in the socket is in the stream: the reader, once woken, has read it or is behind.
        for _ in range(2):
            await asyncio.sleep(0)
        self._put(ChannelChecked(time.monotonic(), unread or self._channel.is_behind))
