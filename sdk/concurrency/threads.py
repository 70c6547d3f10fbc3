"""`run_in_thread`: a function that blocks becomes one that can be awaited."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar, cast

from sdk.errors import SdkError
from sdk.failure import traceback_of

P = ParamSpec("P")
R = TypeVar("R")

MOST_THREADS: Final = 128
"""How many calls run at once on one event loop; the next wait for their turn, in order.

The default executor of asyncio has six threads on a machine with two cores, and fifty devices at once are normal. A
worker's limit is 512 processes and threads for a job (`--max-job-processes`), of which other code needs some.
"""

_log = logging.getLogger(__name__)
_turns: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = (
    weakref.WeakKeyDictionary()
)


class NotBlockingError(SdkError, TypeError):
    """`run_in_thread` was given what does not block: an async function, a generator, or no function.

    `what` names it.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"run_in_thread can't run {what} in a thread. {advice}")
        self.what = what


# Not Coroutine[Any, Any, R]: where an argument has an Any, mypy gives up on overloads (run_parallel, asyncio.gather).
def run_in_thread(fn: Callable[P, R]) -> Callable[P, Coroutine[object, None, R]]:
    """Make `fn`, a plain function or method that blocks, awaitable: each call runs in a thread of its own.

    ```python
    @run_in_thread
    def show(host: str) -> str:
        with ConnectHandler(host=host, ...) as connection:
            return connection.send_command("show version")

    text = await show("10.0.0.1")
    ```

    * The call begins when it is awaited (or made a task), and sees the caller's context variables as they are then.
    * What `fn` returns or raises comes out of the `await`. A `StopIteration` becomes a `RuntimeError`, as in
      every coroutine.
    * Up to 128 calls (`MOST_THREADS`) run at once; more wait for their turn.
    * When the awaiting task is cancelled, `asyncio.CancelledError` is raised at once. Nothing in Python can stop a
      thread: it goes on, and keeps its place among the 128, until `fn` returns or the job ends. What it
      returns then is dropped, what it raises is dropped too, and both are logged.
    * The threads are daemons: they hold neither the end of a job nor that of a process.

    It may stand above or below `@staticmethod` and `@classmethod`. Raises `NotBlockingError` (a `TypeError`)
    where it decorates an async function, a generator function or a property, and where a call returns a coroutine or a
    generator: their code has not run yet, and would run on the event loop. A call raises `RuntimeError` when the
    system has no thread left.
    """
    if isinstance(fn, staticmethod | classmethod):
        return cast("Callable[P, Coroutine[object, None, R]]", type(fn)(run_in_thread(fn.__func__)))
    _check(fn)

    @functools.wraps(fn)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        value = await _in_thread(functools.partial(fn, *args, **kwargs), _name_of(fn))
        _check_value(value, fn)
        return cast("R", value)

    return call


def _check(fn: object) -> None:
    if isinstance(fn, property | functools.cached_property):
        raise NotBlockingError("a property", "Make it a method, and await its call.")
    if not callable(fn):
        raise NotBlockingError(repr(fn), "Give it a function.")
    called = getattr(fn, "__call__", fn)  # noqa: B004  # an object whose __call__ is async is no function that blocks
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


def _check_value(value: object, fn: object) -> None:
    kinds = (
        (inspect.iscoroutine, "coroutine"),
        (inspect.isgenerator, "generator"),
        (inspect.isasyncgen, "generator"),
    )
    kind = next((kind for is_one, kind in kinds if is_one(value)), None)
    if kind is None:
        return
    if inspect.iscoroutine(value):
        value.close()  # else Python warns that it was never awaited, which is said here
    raise NotBlockingError(
        f"what {_name_of(fn)} returned: a {kind}, whose code has not run yet",
        "Return what it makes: a list instead of a generator, and no call of an async function.",
    )


def _name_of(fn: object) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)


class _Call:
    """One call on its way through a thread."""

    def __init__(self, fn: Callable[[], Any], name: str, turns: asyncio.Semaphore) -> None:
        self._fn = fn
        self._name = name
        self._turns = turns
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._cancelled_at: float | None = None
        # Carries no value: a StopIteration can't be set on a future, and an exception that nobody fetched from one
        # is reported by asyncio in words that help no author.
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._value: Any = None
        self._error: BaseException | None = None

    async def result(self) -> Any:
        try:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        except RuntimeError:
            self._turns.release()
            raise
        try:
            await self._ended
        except asyncio.CancelledError:
            self._cancelled_at = time.monotonic()
            raise
        if self._error is None:
            return self._value
        try:
            raise self._error
        except StopIteration as error:
            raise RuntimeError(f"{self._name} raised StopIteration") from error
        finally:
            self._error = None  # its traceback refers to this frame

    def _run(self) -> None:
        try:
            self._value = self._context.run(self._fn)
        except BaseException as error:
            self._error = error
        try:
            self._loop.call_soon_threadsafe(self._arrived)
        except RuntimeError:  # the loop is closed: nobody can be waiting
            self._tell_late()

    def _arrived(self) -> None:
        self._turns.release()
        if self._ended.done():
            self._tell_late()
        else:
            self._ended.set_result(None)

    def _tell_late(self) -> None:
        late = ""
        if self._cancelled_at is not None:
            late = f" {time.monotonic() - self._cancelled_at:.1f} s"
        if self._error is None:
            _log.info("%s ended%s after its caller was cancelled; its result is dropped.", self._name, late)
        else:
            text = traceback_of(self._error)
            _log.warning("%s failed%s after its caller was cancelled:\n%s", self._name, late, text)


async def _in_thread(fn: Callable[[], Any], name: str) -> Any:
    turns = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MOST_THREADS))
    await turns.acquire()
    return await _Call(fn, name, turns).result()
