"""Looking at the jobs again and again, in a thread, without ever ending because one look failed."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from supervisor.log.event import tell
from supervisor.log.events.processes import WatchFailing, WatchRestored

_log = logging.getLogger(__name__)

LATE_SECONDS: Final = 3.0
"""How long a look may take before people are told that nothing is seen. It is waited for all the same."""

A = TypeVar("A")
R = TypeVar("R")


class Rounds:
    """Looks in a thread of its own, and tells once that looking fails, and once that it works again.

    The machine may have no thread, descriptor or memory left, most of all while a job multiplies, which is when the
    limits are needed. Whoever asks for a look tries again on the next beat. `name` is the thread's; `failing` and
    `working` are what people are told.
    """

    def __init__(self, name: str, *, failing: str, working: str) -> None:
        self._name = name
        self._failing = failing
        self._working = working
        self._executor = self._new_executor()
        self._pending: asyncio.Future[Any] | None = None
        self._failing_since: float | None = None
        self.late: str | None = None
        """Why nothing is seen of anybody at present: the look that is under way has no answer."""

    async def look(self, function: Callable[[A], R], argument: A, on_late: Callable[[str], None]) -> R:
        """Call `function` in the thread. Raises what it raises, and `RuntimeError` when no thread can be started.

        When this is cancelled, the look goes on, and `close` waits a moment for it.

        `on_late` gets a reason after `LATE_SECONDS`: the kernel may let a look at a stuck process wait without end.
        """
        loop = asyncio.get_running_loop()
        try:
            future = loop.run_in_executor(self._executor, function, argument)
        except Exception:
            # It keeps what it was given for the thread that it did not get, and would do all of that first.
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = self._new_executor()
            raise
        self._pending = future
        done, _ = await asyncio.wait({future}, timeout=LATE_SECONDS)
        if not done:
            self.late = f"no answer from the kernel for {LATE_SECONDS:g} s"
            self.tell(self.late)
            try:
                on_late(self.late)
                await asyncio.wait({future})
            finally:
                self.late = None
        return future.result()

    def tell(self, reason: str | None) -> None:
        """Log it where it is news that looking fails, for `reason`, or works (`None`)."""
        now = time.monotonic()
        if reason is not None and self._failing_since is None:
            self._failing_since = now
            tell(_log, WatchFailing(watch=self._name, consequence=self._failing, reason=reason))
        elif reason is None and self._failing_since is not None:
            seconds = now - self._failing_since
            tell(_log, WatchRestored(watch=self._name, consequence=self._working, seconds=seconds))
            self._failing_since = None

    async def close(self) -> None:
        """End the thread. One that hangs in the kernel is not waited for."""
        hanging: set[asyncio.Future[Any]] = set()
        if self._pending is not None:
            _, hanging = await asyncio.wait({self._pending}, timeout=LATE_SECONDS)
        self._executor.shutdown(wait=not hanging, cancel_futures=True)

    def _new_executor(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)


def reason_of(error: BaseException) -> str:
    """Say why a look failed, in a few words: without the file that happened to be read."""
    strerror = getattr(error, "strerror", None)
    return str(strerror) if strerror else str(error) or type(error).__name__
