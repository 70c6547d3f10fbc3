"""Calls that a disk may hold up for ever, in a thread of their own and under a limit."""

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

T = TypeVar("T")

LIMIT_SECONDS: Final = 2.0

AGAIN: Final = object()
"""Returned by a call that is to be called again, after all others that wait: a long one must not hold them up."""


class DiskHangsError(SupervisorError, OSError):
    """A call has not come back within its limit. It may still do so, hours later."""

    def __init__(self, limit_seconds: float) -> None:
        super().__init__(errno.ETIMEDOUT, f"the disk has not answered within {limit_seconds:g} s")


@dataclass(frozen=True, slots=True)
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"


class DiskThread:
    """One thread, started at once, that carries out calls in the order in which they come.

    A thread that the kernel holds in a call (state D) can be neither interrupted nor joined: nobody waits for it longer
    than `limit_seconds`, and while it `hangs` whoever asks is refused at once. So what must not wait for each other
    needs threads of its own. It is a daemon of Python's, which the end of the process does not wait for.
    Where there is nothing to do for `idle_seconds()`, which is asked before each wait, `idle` is called. Both in the
    thread, and they raise nothing.
    Raises `StartRefusedError` when the thread can't be started.
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
        """Whether the call that is under way takes longer than the limit."""
        since = self._busy_since
        return since is not None and time.monotonic() - since > self.limit_seconds

    def submit(self, function: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
        """Have it called. The future ends with what it returns or raises, however long that takes."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        done.add_done_callback(_hear_failure)
        self._calls.put(_Call(function, arguments, loop, done))
        return done

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what it returns. Raises what it raises, and `DiskHangsError` beyond the limit."""
        if self.hangs:
            raise DiskHangsError(self.limit_seconds)
        return await self.within_limit(self.submit(function, *arguments))

    async def within_limit(self, done: "asyncio.Future[T]") -> T:
        """Return what a submitted call returns. Raises as `call` does; then the call still goes on."""
        if not done.done():
            await asyncio.wait((done,), timeout=self.limit_seconds)
        if not done.done():
            raise DiskHangsError(self.limit_seconds)
        return done.result()

    async def close(self, timeout_seconds: float) -> bool:
        """Do what waits, and end the thread. Returns whether it has ended: one that hangs is left alone."""
        if not self._closing:
            self._closing = True
            self._calls.put(None)
        end = time.monotonic() + timeout_seconds
        while self._thread.is_alive() and not self.hangs and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(
                0.001
            )  # at the end of the worker, and a thread has no future that tells of its end
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
                self._calls.put(None)  # something is to be called again
                continue
            self._busy_since = time.monotonic()
            self._carry_out(call)
            self._busy_since = None

    def _carry_out(self, call: _Call) -> None:
        result, error = None, None
        try:
            result = call.function(*call.arguments)
        except Exception as raised:  # whatever it is, somebody may wait for it, and the thread must go on
            error = raised
        if result is AGAIN:
            self._calls.put(call)
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            call.loop.call_soon_threadsafe(settle, call.done, result, error)


def settle(done: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    """End a future with what a thread has come to, unless nobody waits for it any more. To be called on its loop."""
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


def _hear_failure(done: "asyncio.Future[Any]") -> None:
    # Nobody may be left to ask for it.
    if not done.cancelled():
        done.exception()
