"""`schedule_task`: work beside the block's own. The end of the block does not cut it off."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Final, ParamSpec, TypeVar, cast

from sdk.errors import SdkError
from sdk.failure import traceback_of
from sdk.masking import hiding_all
from sdk.results import BaseFunctionBlockResult

P = ParamSpec("P")
R = TypeVar("R")
ResultT = TypeVar("ResultT", bound=BaseFunctionBlockResult)

RESERVE_SECONDS: Final = 1.0
"""So long before the job's time limit, tasks that still run are cancelled, to keep the block's result."""

_TELL_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)
_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("deadline", default=None)
_group: contextvars.ContextVar[Group | None] = contextvars.ContextVar("scheduled_tasks", default=None)
_ungrouped: Final[set[asyncio.Task[Any]]] = set()


class NotAsyncError(SdkError, TypeError):
    """`schedule_task` got something that makes no task: a function that is not async. `what` names it."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"schedule_task can't make a task of {what}. {advice}")
        self.what = what


def schedule_task(fn: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, asyncio.Task[R]]:
    """Make `fn`, an async function or method, start at once when called, as a task beside the caller.

    ```python
    @schedule_task
    async def note(text: str) -> None: ...

    note("half way")  # goes on by itself; it returns its task, which you may await
    ```

    The task is kept alive. A failure is logged with its traceback, even if you await the task. The task belongs to
    the job, and does not outlive it:

    * `run` (or `acquire`, `rollback`) succeeded: the job waits for its tasks, because their work is a part of the
      job's, and then ends. Tasks that still run 1 s before its time limit (`RESERVE_SECONDS`) are cancelled,
      with a warning: a task without an end must not turn the block's success into a failure.
    * It failed, raised or was cancelled: the tasks are cancelled, and the job waits until they have cleaned up.

    A failed task does not change the block's result: await the task to get its exception. A call without a running
    event loop raises `RuntimeError`. Outside of a block the task is kept alive and its failure logged, nothing more.

    You may put it above or below `@staticmethod` and `@classmethod`. Raises `NotAsyncError` (a `TypeError`) if
    it decorates a property or a function that is not async, and if a call returns no coroutine.
    """
    if isinstance(fn, staticmethod | classmethod):
        return cast("Callable[P, asyncio.Task[R]]", type(fn)(schedule_task(fn.__func__)))
    _check(fn)

    @functools.wraps(fn)
    def schedule(*args: P.args, **kwargs: P.kwargs) -> asyncio.Task[R]:
        loop = asyncio.get_running_loop()
        work = fn(*args, **kwargs)
        if not inspect.iscoroutine(work):
            raise NotAsyncError(_name_of(fn), f"It returned no coroutine, but {type(work).__name__}.")
        task = loop.create_task(work, name=getattr(fn, "__qualname__", None))
        group = _group.get()
        tasks = _ungrouped if group is None else group.tasks
        tasks.add(task)
        task.add_done_callback(functools.partial(_ended, tasks))
        return task

    return schedule


def _check(fn: Any) -> None:
    if isinstance(fn, property | functools.cached_property):
        raise NotAsyncError("a property", "Make it an async method, and call it.")
    if not callable(fn):
        raise NotAsyncError(repr(fn), "Give it an async function.")
    # A lambda, an object or what another decorator made may return a coroutine: so each call is checked.
    plain = inspect.isfunction(fn) and fn.__name__ != "<lambda>"
    if plain and not inspect.iscoroutinefunction(inspect.unwrap(fn)):
        raise NotAsyncError(
            _name_of(fn),
            "It is not async: write 'async def', or put @run_in_thread below @schedule_task if it blocks.",
        )


def _name_of(fn: object) -> str:
    return getattr(fn, "__qualname__", None) or repr(fn)


def _ended(tasks: set[asyncio.Task[Any]], task: asyncio.Task[Any]) -> None:
    tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("The scheduled task %s failed:\n%s", task.get_name(), traceback_of(error, hiding_all()))


class Group:
    """The scheduled tasks of one block, and the calls that have begun, by their names."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self.calls: dict[asyncio.Future[Any], str] = {}

    async def finish(self) -> None:
        """Wait for all tasks, also for those that tasks schedule, until shortly before the deadline."""
        deadline = _deadline.get()
        told = False
        while pending := self._pending():
            left = None if deadline is None else deadline - RESERVE_SECONDS - time.monotonic()
            if left is not None and left <= 0:
                text = (
                    "The job's time is nearly over: its scheduled tasks are cancelled, its result stands: %s."
                )
                _log.warning(text, self._names())
                return
            pause = min((each for each in (left, None if told else _TELL_SECONDS) if each), default=None)
            await asyncio.wait(pending, timeout=pause)
            if self._pending() and not told and (left is None or left > _TELL_SECONDS):
                told = True
                _log.info("The block is done, and waits for its scheduled tasks: %s.", self._names())

    async def cancel(self) -> None:
        """Cancel all tasks, and wait until they have ended."""
        while pending := self._pending():
            for task in pending:
                task.cancel()
            await asyncio.wait(pending)

    def _pending(self) -> dict[asyncio.Future[Any], str]:
        # Without those that have ended: they do nothing more, and the wait for them would return at once for ever.
        named: dict[asyncio.Future[Any], str] = {task: task.get_name() for task in self.tasks}
        named |= self.calls
        return {each: name for each, name in named.items() if not each.done()}

    def _names(self) -> str:
        return ", ".join(sorted(self._pending().values()))


def await_at_the_end(call: asyncio.Future[Any], name: str) -> None:
    """Make the running block wait for `call` at its end, as for a scheduled task. Logs call it `name`."""
    group = _group.get()
    if group is not None:
        group.calls[call] = name
        call.add_done_callback(group.calls.pop)


@contextlib.contextmanager
def ending_before(deadline: float | None) -> Iterator[None]:
    """Set how long the blocks that run inside may wait for their tasks; `deadline` is a time of `time.monotonic`."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


async def with_its_tasks(attempt: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Return the result of `attempt` when all tasks that were scheduled in it have ended."""
    async with _grouped() as group:
        result = await attempt()
        if result.success:
            await group.finish()
        return result


@contextlib.asynccontextmanager
async def _grouped() -> AsyncIterator[Group]:
    group = Group()
    token = _group.set(group)
    try:
        yield group
    finally:
        _group.reset(token)
        await group.cancel()
