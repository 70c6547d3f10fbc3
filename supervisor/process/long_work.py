"""Work that would hold up the loop: done in a thread, or in portions."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import Final, TypeVar

T = TypeVar("T")

_PAUSE_SECONDS: Final = 0.001
_PORTION_SECONDS: Final = 0.008


class LongWork:
    """Does work in a thread that is too long for one turn of the loop: one after the other, whoever asked for it.

    The work is Python code, and Python runs one thread at a time: with two such threads beside the loop, the loop
    would wait twice as long. The work calls `pause` every few milliseconds.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._step = asyncio.Lock()

    async def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; raise what it raises. After a cancellation, the work still runs to its end."""
        async with self._turn:
            return await asyncio.to_thread(work)

    async def in_steps(self, steps: Generator[None, None, T]) -> T:
        """Do work on the loop that stops every few milliseconds; return and raise what it does.

        Each turn of the loop runs only one portion, of all such work. Cancelling it leaves the rest undone.
        """
        while True:
            async with self._step:
                ends_at = time.monotonic() + _PORTION_SECONDS
                try:
                    while time.monotonic() < ends_at:
                        next(steps)
                except StopIteration as end:
                    result: T = end.value
                    return result
                # Not 0: other processes need the processor too, and one that always runs waits longest for its turn.
                await asyncio.sleep(_PAUSE_SECONDS)


def pause() -> None:
    """Let the loop run. Call it in the thread that works beside the loop. Without it, the loop waits 5 ms after each of
    its own calls to the kernel (`sys.getswitchinterval`)."""
    time.sleep(_PAUSE_SECONDS)
