"""`run_in_thread`: makes a function that blocks awaitable."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar, cast

from sdk.errors import SdkError
from sdk.failure import traceback_of
from sdk.masking import hiding_all

P = ParamSpec("P")
R = TypeVar("R")

MOST_THREADS: Final = 128
"""How many calls run at once on one event loop; more calls wait for their turn, in order.

The default executor of asyncio has six threads on a machine with two cores, but fifty devices at once are normal. A
worker's limit is 512 processes and threads for a job (`--max-job-processes`), and other code needs some of them.
"""

_log = logging.getLogger(__name__)


class NotBlockingError(SdkError, TypeError):
    """`run_in_thread` got something that does not block: an async function, a generator, or no function.

    `what` names it.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"run_in_thread can't run {what} in a thread. {advice}")
        self.what = what


# Not Coroutine[Any, Any, R]: if an argument has an Any, mypy gives up on overloads (run_parallel, asyncio.gather).
def run_in_thread(fn: Callable[P, R]) -> Callable[P, Coroutine[object, None, R]]:
    """Make `fn`, a plain function or method that blocks, awaitable: each call runs in a thread of its own.

    ```python
    @run_in_thread
    def show(host: str) -> str:
        with ConnectHandler(host=host, ...) as connection:
            return connection.send_command("show version")

    text = await show("10.0.0.1")
    ```

    * The call begins when you await it (or make it a task). It sees the caller's context variables of that moment.
    * The `await` returns what `fn` returns, and raises what it raises. A `StopIteration` becomes a `RuntimeError`,
      as in every coroutine.
    * Up to 128 calls (`MOST_THREADS`) run at once; more wait for their turn.
    * When the awaiting task is cancelled, `asyncio.CancelledError` is raised at once. Nothing in Python can stop a
      thread: it goes on, and keeps its place among the 128, until `fn` returns or the job ends. What it then
      returns or raises is dropped and logged.
    * The threads are daemons: neither a job nor a process waits for them at its end.

    You may put it above or below `@staticmethod` and `@classmethod`. Raises `NotBlockingError` (a `TypeError`) if it
    decorates an async function, a generator function or a property, and if a call returns a coroutine or a generator:
    their code has not run yet, and would run on the event loop. A call raises `RuntimeError` if the system has no
    thread left.
    """
    if isinstance(fn, staticmethod | classmethod):
        return cast("Callable[P, Coroutine[object, None, R]]", type(fn)(run_in_thread(fn.__func__)))
    _check(fn)

    @functools.wraps(fn)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return cast("R", await ThreadCall(functools.partial(fn, *args, **kwargs), _name_of(fn)).result())

    return call


def _check(fn: object) -> None:
    if isinstance(fn, property | functools.cached_property):
        raise NotBlockingError("a property", "Make it a method, and await its call.")
    if not callable(fn):
        raise NotBlockingError(repr(fn), "Give it a function.")
    called = getattr(fn, "__call__", fn)  # noqa: B004  # an object with an async __call__ does not block
    if any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in (fn, called)):
        raise NotBlockingError(
            f"{_name_of(fn)}, which is async",
            "Await it as it is, or take the 'async' away if what it does blocks.",
        )
    if any(inspect.isgeneratorfunction(each) for each in (fn, called)):
        raise NotBlockingError(
            f"{_name_of(fn)}, which is a generator (it has a 'yield')",
            "Its code would run where its values are taken, on the event loop. Return a list instead.",
        )


def _check_value(value: object, name: str) -> None:
    kinds = (
        (inspect.iscoroutine, "coroutine"),
        (inspect.isgenerator, "generator"),
        (inspect.isasyncgen, "generator"),
    )
    kind = next((kind for is_one, kind in kinds if is_one(value)), None)
    if kind is None:
        return
    if inspect.iscoroutine(value):
        value.close()  # otherwise Python also warns that it was never awaited
    raise NotBlockingError(
        f"what {name} returned: a {kind}, whose code has not run yet",
        "Return what it makes: a list instead of a generator, and no call of an async function.",
    )


def _name_of(fn: object) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)


class ThreadCall:
    """One call on its way through a thread. It begins at once, or when one of the 128 on its loop has ended.

    `begun` is done from then on. `ended` is done when the call has returned or raised. If a caller cancels one of
    them before the call's turn, the call does not begin.
    """

    def __init__(self, fn: Callable[[], Any], name: str) -> None:
        self.loop: Final = asyncio.get_running_loop()
        # They carry no value: a StopIteration can't be set on a future. If nobody fetches an exception from a future,
        # asyncio reports it in words that help no author.
        self.begun: Final[asyncio.Future[None]] = self.loop.create_future()
        self.ended: Final[asyncio.Future[None]] = self.loop.create_future()
        self.value: Any = None
        self._fn = fn
        self._name = name
        self._context = contextvars.copy_context()
        self._cancelled_at: float | None = None
        self._error: BaseException | None = None
        self._turns = _turns.setdefault(self.loop, _Turns())
        self._turns.take(self)

    async def result(self) -> Any:
        """Return what `fn` returns, or raise what it raises.

        Raises `NotBlockingError` if it returns a coroutine or a generator.
        """
        try:
            await self.ended
        except asyncio.CancelledError:
            self._cancelled_at = time.monotonic()
            raise
        error = self.take_error()
        if error is None:
            _check_value(self.value, self._name)
            return self.value
        try:
            raise error
        finally:
            del error  # its traceback refers to this frame

    def take_error(self) -> BaseException | None:
        """Return what `fn` raised, once."""
        error, self._error = self._error, None
        if not isinstance(error, StopIteration):
            return error
        stopped = RuntimeError(f"{self._name} raised StopIteration")
        stopped.__cause__ = error
        return stopped

    def abandon(self) -> None:
        """Stop waiting for it. If it has not begun, it does not begin; if it has, its thread goes on."""
        self._cancelled_at = time.monotonic()
        self.ended.cancel()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return not (self.begun.cancelled() or self.ended.done())

    def start(self) -> bool:
        """Start its thread. False if the system has no thread left; `result` then raises that error."""
        self.begun.set_result(None)
        try:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        except RuntimeError as error:
            self._error = error
            self._tell()
            return False
        return True

    def _run(self) -> None:
        try:
            self.value = self._context.run(self._fn)
        except BaseException as error:
            self._error = error
        try:
            self.loop.call_soon_threadsafe(self._arrived)
        except RuntimeError:  # the loop is closed, so nobody waits
            self._tell_late()

    def _arrived(self) -> None:
        self._turns.give_back()
        self._tell()

    def _tell(self) -> None:
        if self.ended.done():
            self._tell_late()
        else:
            self.ended.set_result(None)

    def _tell_late(self) -> None:
        late = ""
        if self._cancelled_at is not None:
            late = f" {time.monotonic() - self._cancelled_at:.1f} s"
        if self._error is None:
            _log.info("%s ended%s after its caller was cancelled; its result is dropped.", self._name, late)
        else:
            text = traceback_of(self._error, hiding_all())
            _log.warning("%s failed%s after its caller was cancelled:\n%s", self._name, late, text)


class _Turns:
    """How many more threads an event loop may have, and which calls wait for one."""

    def __init__(self) -> None:
        self._free = MOST_THREADS
        self._waiting: deque[ThreadCall] = deque()

    def take(self, call: ThreadCall) -> None:
        """Start the call's thread, at once or when its turn comes."""
        if not self._free:
            self._waiting.append(call)
        elif call.start():
            self._free -= 1

    def give_back(self) -> None:
        """Say that a thread has ended."""
        while self._waiting:
            call = self._waiting.popleft()
            if call.is_wanted and call.start():
                return
        self._free += 1


_turns: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns]] = weakref.WeakKeyDictionary()
