"""How long each case held the event loop, and what the process has more of than before."""

import asyncio
import contextvars
import ctypes
import gc
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CASE: contextvars.ContextVar[int] = contextvars.ContextVar("CASE", default=-1)
"""The number of the case for which something runs. Tasks and callbacks inherit it."""


@dataclass(slots=True)
class Hold:
    """The longest time for which one callback held the loop, in CPU seconds of its thread, and its case."""

    seconds: float = 0.0
    case: int = -1


_not_measured = Hold()


@contextmanager
def not_measured() -> Iterator[None]:
    """Leave out what the fuzzer itself does on the loop, such as making up the case."""
    begun = time.thread_time()
    try:
        yield
    finally:
        _not_measured.seconds += time.thread_time() - begun


@contextmanager
def watched_loop() -> Iterator[Hold]:
    """Measure every callback of this process's loops.

    CPU time and not the clock's: on a machine with neighbours a case would be blamed for theirs. What is there already
    is frozen, as the worker does when it is ready: else a case is blamed for a collection of all that was imported.
    """
    others_frozen = gc.get_freeze_count() > 0
    gc.collect()
    gc.freeze()
    longest = Hold()
    handle: type[asyncio.Handle] = asyncio.events.Handle
    run = handle._run

    def measured(self: asyncio.Handle) -> None:
        begun, _not_measured.seconds = time.thread_time(), 0.0
        run(self)
        took = time.thread_time() - begun - _not_measured.seconds
        if took > longest.seconds and (case := self._context.get(CASE, -1)) >= 0:
            longest.seconds, longest.case = took, case

    handle._run = measured  # type: ignore[method-assign]
    try:
        yield longest
    finally:
        handle._run = run  # type: ignore[method-assign]
        if not others_frozen:
            gc.unfreeze()


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process has: memory in MiB, and descriptors."""

    memory_mb: float
    descriptors: int

    @classmethod
    def now(cls) -> "Footprint":
        """Look, after everything that can be collected was collected.

        And given back: the largest cases leave holes that malloc keeps, which would hide a leak of that size.
        """
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
        return cls(pages * resource.getpagesize() / 2**20, len(os.listdir("/proc/self/fd")))
