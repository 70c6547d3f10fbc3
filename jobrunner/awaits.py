"""Where the tasks of a job await, in the form that faulthandler uses for threads.

If a block hangs in an `await`, no thread's stack shows it: faulthandler shows only the event loop, which waits. A `run`
that is not async, or what it has moved to a thread, is on a stack; but the job may end before anybody asks for it.
"""

import asyncio
import concurrent.futures.thread
import contextlib
import gc
import itertools
import os
import selectors
import sys
import threading
import types
from collections.abc import Iterable, Iterator
from typing import Any, Final

from jobrunner.protocol.linux import END_OF_AWAITS, END_OF_AWAITS_AGAIN
from sdk.concurrency.authorship import outwards
from sdk.whose_code import Whose, whose

_DEPTH: Final = 50
_THREADS: Final = 20
_PLACES: Final = 20
_TASKS: Final = 1000
_POOL: Final = concurrent.futures.thread.__file__
_JOB: Final = "block"

_Place = tuple[str, ...]
_written: set[_Place] = set()
"""Places that were reported when the job was cancelled. A task that is still there is not reported again."""


def write_awaiting(descriptor: int, *, for_a_person: bool = False) -> None:
    """Write where each task of the running loop awaits, innermost frame first, to `descriptor`.

    Tasks that await at the same place are reported together. Tasks in the author's own code come first, and the job's
    task before all. If there are very many tasks or places, some are left out, and the text says so. Places that were
    written before are left out, unless `for_a_person`: then all are written, and none is missing in the text at the
    job's end.
    """
    tasks = asyncio.all_tasks()
    places = {
        place: names
        for place, names in _places_of(itertools.islice(tasks, _TASKS)).items()
        if for_a_person or place not in _written
    }
    shown = dict(itertools.islice(places.items(), _PLACES))
    left = max(0, len(tasks) - _TASKS) + sum(map(len, places.values())) - sum(map(len, shown.values()))
    for number, (place, names) in enumerate(shown.items(), 1):
        what = f"Awaiting in task {names[0]}"
        what += f" and {len(names) - 1} more at the same place" if len(names) > 1 else ""
        what += f", {left} more tasks elsewhere are not shown" if left and number == len(shown) else ""
        _write(descriptor, what, place)
    if not for_a_person:
        _written.update(shown)


def write_awaiting_when_idle(
    frame: types.FrameType | None, descriptor: int, *, for_a_person: bool = False
) -> None:
    """Do as `write_awaiting` if `frame`, which a signal has interrupted, is an event loop that waits; then say so.

    Otherwise the stack shows the place. This handler may come between any two steps of a block, and must not touch its
    tasks then.
    """
    if frame is None or frame.f_code.co_filename != selectors.__file__:
        return
    with contextlib.suppress(Exception):  # an error here would be raised in the job
        write_awaiting(descriptor, for_a_person=for_a_person)
    with contextlib.suppress(OSError):
        end = END_OF_AWAITS_AGAIN if for_a_person else END_OF_AWAITS
        os.write(descriptor, f"\n{end}\n\n".encode())


def write_threads_when_idle(frame: types.FrameType | None, descriptor: int) -> None:
    """Do as `write_threads` if `frame`, which a signal has interrupted, is an event loop that waits."""
    if frame is not None and frame.f_code.co_filename == selectors.__file__:
        with contextlib.suppress(Exception):  # an error here would be raised in the job
            write_threads(descriptor)


def write_threads(descriptor: int) -> None:
    """Write the stacks of the threads that work, without the event loop's, to `descriptor`."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    busy = [
        (names.get(ident, str(ident)), frame)
        for ident, frame in sys._current_frames().items()
        # A thread of a pool waits for work if it is in the pool's own code.
        if ident != threading.get_ident() and frame.f_code.co_filename != _POOL
    ]
    for name, frame in busy[:_THREADS]:
        _write(descriptor, f"Thread {name}", map(_line, itertools.islice(outwards(frame), _DEPTH)))


def _places_of(tasks: Iterable[asyncio.Task[Any]]) -> dict[_Place, list[str]]:
    """Return the names of the tasks for each place, the most helpful ones for an author first."""
    found: list[tuple[bool, bool, int, str, _Place]] = []
    for task in tasks:
        owned = [(whose(frame.f_code.co_filename), frame) for frame in _chain(task.get_coro())]
        frames = [frame for owner, frame in owned if owner is not Whose.WORKER]
        if frames:
            name = task.get_name()
            foreign = all(owner is not Whose.AUTHOR for owner, _ in owned)
            # asyncio's own names end in numbers, which grow.
            found.append((foreign, name != _JOB, len(name), name, tuple(map(_line, reversed(frames)))))
    places: dict[_Place, list[str]] = {}
    for *_, name, place in sorted(found):
        places.setdefault(place, []).append(name)
    return places


def _write(descriptor: int, what: str, lines: Iterable[str]) -> None:
    """Write `lines`, the innermost frames first, under the heading `what`."""
    text = "\n".join([f"{what} (most recent call first):", *lines])
    os.write(descriptor, f"\n{text}\n\n".encode(errors="backslashreplace"))


def _line(frame: types.FrameType) -> str:
    return f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_name}'


def _chain(awaitable: object) -> Iterator[types.FrameType]:
    """Yield the frames from the task's own coroutine inwards."""
    for _ in range(_DEPTH):
        if isinstance(awaitable, types.CoroutineType):
            frame, awaitable = awaitable.cr_frame, awaitable.cr_await
        elif isinstance(awaitable, types.GeneratorType):
            frame, awaitable = awaitable.gi_frame, awaitable.gi_yieldfrom
        elif isinstance(awaitable, types.AsyncGeneratorType):
            frame, awaitable = awaitable.ag_frame, awaitable.ag_await
        elif (generator := _generator_of(awaitable)) is not None:
            frame, awaitable = None, generator
        else:
            return
        if frame is not None:
            yield frame


def _generator_of(step: object) -> types.AsyncGeneratorType[Any, Any] | None:
    """Return the generator behind `step`, the object that an `async for` awaits: Python has no attribute for it."""
    return next((one for one in gc.get_referents(step) if isinstance(one, types.AsyncGeneratorType)), None)
