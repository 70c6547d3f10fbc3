"""Where a job that is being cancelled stands, in the form that faulthandler uses for threads.

A block that hangs in an ``await`` is on no thread's stack: faulthandler shows the event loop, waiting. A ``run`` that
is not async, or what it has moved to a thread, is on one, but the job may have ended before anybody asks faulthandler.
"""

import asyncio
import concurrent.futures.thread
import itertools
import os
import sys
import threading
import types
from collections.abc import Iterable, Iterator
from typing import Any, Final

_DEPTH: Final = 50
_THREADS: Final = 20
_POOL: Final = concurrent.futures.thread.__file__


def write_awaiting(task: asyncio.Task[Any], descriptor: int) -> None:
    """Write the chain of awaits of ``task``, innermost first, to ``descriptor``. Nothing for a task that is done."""
    frames = list(_chain(task.get_coro()))
    if not frames:
        return
    _write(descriptor, f"Awaiting in task {task.get_name()}", reversed(frames))


def write_threads(descriptor: int) -> None:
    """Write the stacks of the threads that are at work beside the event loop's, to ``descriptor``."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    busy = [
        (names.get(ident, str(ident)), frame)
        for ident, frame in sys._current_frames().items()
        # A thread of a pool that stands in the pool's own code waits for work.
        if ident != threading.get_ident() and frame.f_code.co_filename != _POOL
    ]
    for name, frame in busy[:_THREADS]:
        _write(descriptor, f"Thread {name}", itertools.islice(_callers(frame), _DEPTH))


def _write(descriptor: int, what: str, frames: Iterable[types.FrameType]) -> None:
    """Write ``frames``, innermost first, under the heading ``what``."""
    lines = [
        f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_name}'
        for frame in frames
    ]
    text = "\n".join([f"{what} (most recent call first):", *lines])
    os.write(descriptor, f"{text}\n\n".encode(errors="backslashreplace"))


def _callers(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _chain(awaitable: object) -> Iterator[types.FrameType]:
    """Yield the frames from the task's own coroutine inwards."""
    for _ in range(_DEPTH):
        if isinstance(awaitable, types.CoroutineType):
            frame, awaitable = awaitable.cr_frame, awaitable.cr_await
        elif isinstance(awaitable, types.GeneratorType):
            frame, awaitable = awaitable.gi_frame, awaitable.gi_yieldfrom
        elif isinstance(awaitable, types.AsyncGeneratorType):
            frame, awaitable = awaitable.ag_frame, awaitable.ag_await
        else:
            return
        if frame is not None:
            yield frame
