"""`run_parallel`: awaits several awaitables at once. If one fails, it leaves none of the others behind."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Iterable
from typing import Any, Literal, TypeVar, overload

from sdk.failure import traceback_of
from sdk.masking import hiding_all

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")

_log = logging.getLogger(__name__)


# As in the type hints of asyncio.gather: a few arguments give a tuple, so that each keeps its own type; any number of
# arguments of one type gives a list. At run time it is always a list.
@overload
async def run_parallel(
    a1: Awaitable[T1], /, *, limit: int | None = None, return_exceptions: Literal[False] = False
) -> tuple[T1]: ...
@overload
async def run_parallel(
    a1: Awaitable[T1], a2: Awaitable[T2], /, *,
    limit: int | None = None, return_exceptions: Literal[False] = False,
) -> tuple[T1, T2]: ...  # fmt: skip
@overload
async def run_parallel(
    a1: Awaitable[T1], a2: Awaitable[T2], a3: Awaitable[T3], /, *,
    limit: int | None = None, return_exceptions: Literal[False] = False,
) -> tuple[T1, T2, T3]: ...  # fmt: skip
@overload
async def run_parallel(
    a1: Awaitable[T1], a2: Awaitable[T2], a3: Awaitable[T3], a4: Awaitable[T4], /, *,
    limit: int | None = None, return_exceptions: Literal[False] = False,
) -> tuple[T1, T2, T3, T4]: ...  # fmt: skip
@overload
async def run_parallel(
    a1: Awaitable[T1], a2: Awaitable[T2], a3: Awaitable[T3], a4: Awaitable[T4], a5: Awaitable[T5], /, *,
    limit: int | None = None, return_exceptions: Literal[False] = False,
) -> tuple[T1, T2, T3, T4, T5]: ...  # fmt: skip
@overload
async def run_parallel(
    *awaitables: Awaitable[T], limit: int | None = None, return_exceptions: Literal[False] = False
) -> list[T]: ...
@overload
async def run_parallel(
    a1: Awaitable[T1], a2: Awaitable[T2], /, *,
    limit: int | None = None, return_exceptions: Literal[True],
) -> tuple[T1 | BaseException, T2 | BaseException]: ...  # fmt: skip
@overload
async def run_parallel(
    a1: Awaitable[T1], a2: Awaitable[T2], a3: Awaitable[T3], /, *,
    limit: int | None = None, return_exceptions: Literal[True],
) -> tuple[T1 | BaseException, T2 | BaseException, T3 | BaseException]: ...  # fmt: skip
@overload
async def run_parallel(
    *awaitables: Awaitable[T], limit: int | None = None, return_exceptions: Literal[True]
) -> list[T | BaseException]: ...
async def run_parallel(
    *awaitables: Awaitable[Any], limit: int | None = None, return_exceptions: bool = False
) -> Any:
    """Await all `awaitables` at once and return a list of their results, in the order given.

    ```python
    outputs = await run_parallel(*(show(host) for host in hosts), limit=50)
    ```

    * `limit`: the number of coroutines that may run at once. The others start in order as places become free.
    * The first failure cancels the others and waits until each has cleaned up. Then it is raised. A cancellation of
      the caller does the same. Coroutines that had not begun are closed. Other failures in that time are logged.
      A cancelled `run_in_thread` call is not waited for: its thread goes on.
    * `return_exceptions`: a failure is a result like the others, and cancels nothing.

    Raises `TypeError` for an object that can't be awaited, or a `limit` that is not an integer. Raises `ValueError`
    for a `limit` below one. Both come before anything runs.
    """
    try:
        _check(awaitables, limit)
    except BaseException:
        _close(awaitables)
        raise
    # An awaitable that is given twice is awaited once, as asyncio.gather does.
    waiting = list({id(each): each for each in awaitables}.values())
    waiting.reverse()
    tasks: dict[int, asyncio.Future[Any]] = {}
    ended: list[asyncio.Future[Any]] = []
    has_ended = asyncio.Event()
    running = 0

    # One callback for each, and no `asyncio.wait` in a loop: that one goes through all that run each time.
    def note(task: asyncio.Future[Any]) -> None:
        ended.append(task)
        has_ended.set()

    try:
        while waiting or running:
            while waiting and (limit is None or running < limit):
                awaitable = waiting.pop()
                tasks[id(awaitable)] = started = asyncio.ensure_future(awaitable)
                started.add_done_callback(note)
                running += 1
            await has_ended.wait()
            has_ended.clear()
            if not return_exceptions and any(map(_has_failed, ended)):
                _raise_first(tasks.values())
            running -= len(ended)
            ended.clear()
    except BaseException as error:
        _close(waiting)
        _tell_others(error, await _cancelled(tasks.values()))
        raise
    return [_result(tasks[id(each)]) for each in awaitables]


def _check(awaitables: tuple[object, ...], limit: object) -> None:
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool)):
        raise TypeError(f"run_parallel: limit is {limit!r}. Give an integer (how many run at once), or None.")
    if limit is not None and limit < 1:
        raise ValueError(f"run_parallel: limit is {limit}, and nothing could run. Give one or more, or None.")
    for number, each in enumerate(awaitables, start=1):
        if not inspect.isawaitable(each):
            advice = "Call it" if callable(each) else "Unpack a list with *"
            raise TypeError(
                f"run_parallel: argument {number} can't be awaited: {type(each).__name__}. {advice}."
            )


def _close(awaitables: Iterable[object]) -> None:
    for each in awaitables:
        if inspect.iscoroutine(each):
            each.close()


async def _cancelled(tasks: Iterable[asyncio.Future[Any]]) -> list[asyncio.Future[Any]]:
    """Cancel what still runs, and return all `tasks` when they have ended, even if this is cancelled, too."""
    every = list(tasks)
    pending = {task for task in every if not task.done()}
    cancelled: asyncio.CancelledError | None = None
    while pending:
        for task in pending:
            task.cancel()
        try:
            _, pending = await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error  # cancelled again: the loop passes it on to the tasks that clean up
            pending = {task for task in pending if not task.done()}
    if cancelled is not None:
        raise cancelled
    return every


def _tell_others(first: BaseException, tasks: Iterable[asyncio.Future[Any]]) -> None:
    for task in tasks:
        # The question also keeps asyncio from the message that the exception was never retrieved.
        error = None if task.cancelled() else task.exception()
        if error is not None and error is not first:
            name = task.get_name() if isinstance(task, asyncio.Task) else "one of them"
            _log.warning(
                "run_parallel: besides the first, %s failed:\n%s", name, traceback_of(error, hiding_all())
            )


def _has_failed(task: asyncio.Future[Any]) -> bool:
    return task.cancelled() or task.exception() is not None


def _raise_first(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Raise the error of the first in `tasks` that has ended with one: of several at once, always the same."""
    for task in tasks:
        if task.done():
            task.result()


def _result(task: asyncio.Future[Any]) -> Any:
    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception() or task.result()
