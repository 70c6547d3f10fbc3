"""What would hold the loop, done beside it."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_PAUSE_SECONDS: Final = 0.002


class LongWork:
    """Does in a thread what takes too long for one turn of the loop: one thing after another, whosoever asked for it.

    The work is Python's own, which runs one thread at a time: two such threads beside the loop would let it wait for
    twice as long. It calls `pause` every few milliseconds.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def do(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns; raise what it raises. When this is cancelled, it is still done to its end."""
        async with self._turn:
            return await asyncio.to_thread(work)


def pause() -> None:
    """Let the loop run, in the thread that works beside it. Without it, the loop waits 5 ms at each of its own calls
    to the kernel (`sys.getswitchinterval`)."""
    time.sleep(_PAUSE_SECONDS)
