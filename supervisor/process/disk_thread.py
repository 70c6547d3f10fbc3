"""Calls that a disk may hold up for ever: they run in their own thread, and the caller waits for a limited time."""

import asyncio
import contextlib
import errno
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from supervisor.errors import StartRefusedError, SupervisorError
from supervisor.process.shortage import explain
from supervisor.process.time_limit import done_within

T = TypeVar("T")

LIMIT_SECONDS: Final = 2.0

AGAIN: Final = object()
"""A call returns this if it must be called again, after all others that wait: a long call must not hold them up."""


class DiskHangsError(SupervisorError, OSError):
    """A call has not returned within its limit. It may still return, hours later."""

    def __init__(self, limit_seconds: float) -> None:
        super().__init__(errno.ETIMEDOUT, f"the disk has not answered within {limit_seconds:g} s")


@dataclass(frozen=True, slots=True)
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"


class DiskThread:
    """One thread, started at once, that does calls in the order in which they come.

    A thread that the kernel holds in a call (state D) can't be interrupted or joined. So nobody waits for it longer
    than `limit_seconds`, and while it `hangs`, every new caller is refused at once. Calls that must not wait for each
    other need different threads. It is a daemon thread of Python: the end of the process does not wait for it.
    If the thread has nothing to do for `idle_seconds()`, it calls `idle`. It asks `idle_seconds` before each wait. Both
    run in the thread and raise nothing.
    Raises `StartRefusedError` if the thread can't be started.
    """

    def __init__(
        self,
        name: str,
        limit_seconds: float = LIMIT_SECONDS,
        *,
        idle: Callable[[], None] = lambda: None,
        idle_seconds: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.limit_seconds = limit_seconds
        self._idle = idle
        self._idle_seconds = idle_seconds
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._busy_since: float | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise StartRefusedError(
                f"The threads of this worker can't be started: {explain(error)}"
            ) from error

    @property
    def hangs(self) -> bool:
        """Whether the current call takes longer than the limit."""
        since = self._busy_since
        return since is not None and time.monotonic() - since > self.limit_seconds

    def submit(self, function: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
        """Queue a call. The future ends with its result or exception, however long it takes."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        done.add_done_callback(_hear_failure)
        self._calls.put(_Call(function, arguments, loop, done))
        return done

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return the call's result. Raises what it raises, and `DiskHangsError` after the limit."""
        if self.hangs:
            raise DiskHangsError(self.limit_seconds)
        return await self.within_limit(self.submit(function, *arguments))

    async def within_limit(self, done: "asyncio.Future[T]") -> T:
        """Return the result of a submitted call. Raises the same as `call`; the call itself still goes on."""
        if not done.done() and not await done_within(self.limit_seconds, done):
            raise DiskHangsError(self.limit_seconds)
        return done.result()

    async def close(self, timeout_seconds: float) -> bool:
        """Do what waits, and end the thread. Returns whether it has ended: a thread that hangs is left alone."""
        if not self._closing:
            self._closing = True
            self._calls.put(None)
        end = time.monotonic() + timeout_seconds
        while self._thread.is_alive() and not self.hangs and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.001)  # only at the end of the worker; a thread has no future for its end
        return not self._thread.is_alive()

    def _work(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=self._idle_seconds())
            except queue.Empty:
                self._busy_since = time.monotonic()
                self._idle()
                self._busy_since = None
                continue
            if call is None:
                if self._calls.empty():
                    return
                self._calls.put(None)  # a call must be repeated
                continue
            self._busy_since = time.monotonic()
            self._carry_out(call)
            self._busy_since = None

    def _carry_out(self, call: _Call) -> None:
        result, error = None, None
        try:
            result = call.function(*call.arguments)
        except Exception as raised:  # somebody may wait for any of them, and the thread must go on
            error = raised
        if result is AGAIN:
            self._calls.put(call)
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            call.loop.call_soon_threadsafe(settle, call.done, result, error)


def settle(done: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    """Give a thread's result to a future, unless nobody waits for it any more. Call it on the future's loop."""
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


def _hear_failure(done: "asyncio.Future[Any]") -> None:
    # Perhaps nobody waits for it any more.
    if not done.cancelled():
        done.exception()
