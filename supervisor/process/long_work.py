"""What would hold the loop, done beside it, or in portions."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import Final, TypeVar

T = TypeVar("T")

_PAUSE_SECONDS: Final = 0.001
_PORTION_SECONDS: Final = 0.008


class LongWork:
    """Does in a thread what takes too long for one turn of the loop: one thing after another, whosoever asked for it.

    The work is Python's own, which runs one thread at a time: two such threads beside the loop would let it wait for
    twice as long. It calls `pause` every few milliseconds.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._step = asyncio.Lock()

    async def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; raise what it raises. When this is cancelled, it is still done to its end."""
        async with self._turn:
            return await asyncio.to_thread(work)

    async def in_steps(self, steps: Generator[None, None, T]) -> T:
        """Do work that stops every few milliseconds, on the loop; return and raise what it does.

        In one turn of the loop there is one such portion, of whosoever's work. Cancelling it leaves the rest undone.
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
                # Not 0: the machine has others that run, too, and what always runs waits longest for its turn.
                await asyncio.sleep(_PAUSE_SECONDS)


def pause() -> None:
    """Let the loop run, in the thread that works beside it. Without it, the loop waits 5 ms at each of its own calls
    to the kernel (`sys.getswitchinterval`)."""
    time.sleep(_PAUSE_SECONDS)
