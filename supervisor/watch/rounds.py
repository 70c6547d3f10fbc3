"""Looks at the jobs again and again, in a thread, and never ends because one look failed."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from supervisor.log.event import tell
from supervisor.log.events.processes import WatchFailing, WatchRestored
from supervisor.process.time_limit import done_within

_log = logging.getLogger(__name__)

LATE_SECONDS: Final = 3.0
"""After so long without an answer, the log says that nothing can be seen. The look is still awaited."""

A = TypeVar("A")
R = TypeVar("R")


class Rounds:
    """Looks in a thread of its own. It logs once that looking fails, and once that it works again.

    The machine may have no thread, descriptor or memory left. That is most likely while a job multiplies, and then the
    limits are needed most. The caller tries a failed look again at the next beat. `name` is the thread's; `failing` and
    `working` are the messages.
    """

    def __init__(self, name: str, *, failing: str, working: str) -> None:
        self._name = name
        self._failing = failing
        self._working = working
        self._executor = self._new_executor()
        self._pending: asyncio.Future[Any] | None = None
        self._failing_since: float | None = None
        self.late: str | None = None
        """Why no job can be seen at present: the running look has no answer."""

    async def look(self, function: Callable[[A], R], argument: A, on_late: Callable[[str], None]) -> R:
        """Call `function` in the thread. Raises what it raises, and `RuntimeError` if no thread can be started.

        After a cancellation, the look goes on, and `close` waits a moment for it.

        `on_late` gets a reason after `LATE_SECONDS`: the kernel may let a look at a stuck process wait for ever.
        """
        loop = asyncio.get_running_loop()
        try:
            future = loop.run_in_executor(self._executor, function, argument)
        except Exception:
            # The executor keeps the call for which it got no thread, and would do it first later.
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = self._new_executor()
            raise
        self._pending = future
        if not await done_within(LATE_SECONDS, future):
            self.late = f"no answer from the kernel for {LATE_SECONDS:g} s"
            self.tell(self.late)
            try:
                on_late(self.late)
                await asyncio.wait({future})
            finally:
                self.late = None
        return future.result()

    def tell(self, reason: str | None) -> None:
        """Log that looking fails, for `reason`, or works again (`None`), if that is news."""
        now = time.monotonic()
        if reason is not None and self._failing_since is None:
            self._failing_since = now
            tell(_log, WatchFailing(watch=self._name, consequence=self._failing, reason=reason))
        elif reason is None and self._failing_since is not None:
            seconds = now - self._failing_since
            tell(_log, WatchRestored(watch=self._name, consequence=self._working, seconds=seconds))
            self._failing_since = None

    async def close(self) -> None:
        """End the thread. If it hangs in the kernel, nobody waits for it."""
        hanging: set[asyncio.Future[Any]] = set()
        if self._pending is not None:
            _, hanging = await asyncio.wait({self._pending}, timeout=LATE_SECONDS)
        self._executor.shutdown(wait=not hanging, cancel_futures=True)

    def _new_executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)


def reason_of(error: BaseException) -> str:
    """Say in a few words why a look failed, without the file that it was reading."""
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror else str(error) or type(error).__name__
