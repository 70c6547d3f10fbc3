"""The one place where background work begins. Each task has a name, a policy for its failure, and an owner."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from supervisor.log.event import tell
from supervisor.log.events.worker import TaskFailed

_log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0

OnFailure = Callable[[str, BaseException], None]
"""Gets the name of the failed task, and its exception. Not called for a cancellation."""


class Tasks:
    """Owns the background work of one part of the worker, from its start to its end.

    The owner decides what happens after a failure. By default it is logged, and the worker goes on. `on_failure` does
    something else, for example it ends the worker. Work that `keep` starts is started again after a pause.
    """

    def __init__(self, on_failure: OnFailure | None = None) -> None:
        self._on_failure = on_failure or _log_failure
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        # A finished task stays in the set until the loop's next turn.
        return sum(not task.done() for task in self._running)

    def start(self, work: Coroutine[Any, Any, T], name: str) -> "asyncio.Task[T]":
        """Begin `work`. Messages use `name`: "the report of a stalled loop"."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> "asyncio.Task[None]":
        """Begin work that a failure must not end: the failure is logged, and `work` is called again after a pause."""
        return self.start(self._kept(work, name), name)

    async def _kept(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await work()
            except Exception:
                again = f"It starts again in {pause:g} s."
                tell(_log, TaskFailed(task=name, consequence=again), error=True)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def cancel(self) -> None:
        """Ask all of them to end, and do not wait."""
        for task in list(self._running):
            task.cancel()

    async def wait(self, timeout_seconds: float | None = None) -> None:
        """Wait for all that run now, at most `timeout_seconds`. Raises none of their exceptions."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=timeout_seconds)

    async def close(self) -> None:
        """End all of them, and wait for that."""
        self.cancel()
        await self.wait()

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(task.get_name(), error)


def _log_failure(name: str, error: BaseException) -> None:
    tell(_log, TaskFailed(task=name, consequence="The worker goes on."), error=error)


async def done_before(
    work: Coroutine[Any, Any, Any], event: asyncio.Event | Coroutine[Any, Any, Any]
) -> bool:
    """Do `work`, but only until `event` is set, or returns. Returns whether it was done; raises what it raises.

    The work and the wait for the event have ended when this returns, raises or is cancelled.
    """
    loop = asyncio.get_running_loop()
    other = event.wait() if isinstance(event, asyncio.Event) else event
    working, _ = tasks = loop.create_task(work), loop.create_task(other)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        await working
        return True
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
