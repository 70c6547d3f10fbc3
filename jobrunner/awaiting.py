"""Where a suspended coroutine stands, in the form that faulthandler uses for threads.

A block that hangs in an ``await`` is on no thread's stack: faulthandler shows the event loop, waiting.
"""

import asyncio
import os
import types
from collections.abc import Iterator
from typing import Any, Final

_DEPTH: Final = 50


def write_awaiting(task: asyncio.Task[Any], descriptor: int) -> None:
    """Write the chain of awaits of ``task``, innermost first, to ``descriptor``. Nothing for a task that is done."""
    frames = list(_chain(task.get_coro()))
    if not frames:
        return
    lines = [f"Awaiting in task {task.get_name()} (most recent call first):"]
    lines += [
        f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_name}'
        for frame in reversed(frames)
    ]
    os.write(descriptor, ("\n".join(lines) + "\n\n").encode(errors="backslashreplace"))


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
