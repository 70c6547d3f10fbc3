"""What a call on a device has left in the process of its block: for blocks, which look at themselves."""

import asyncio
import os
import threading
import time
from dataclasses import dataclass
from typing import Final, Self

THREADS_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Present:
    """The descriptors and threads of this process at some time."""

    descriptors: frozenset[str]
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls) -> Self:
        """Those of now."""
        return cls(_descriptors(), frozenset(threading.enumerate()))

    async def left(self, since: float) -> tuple[float | None, list[str], list[str]]:
        """Wait at most five seconds until what came after this is gone.

        Returns how long that took, counted from `since`, None where it is there still; the threads; the descriptors.
        """
        begun = time.monotonic()
        while time.monotonic() < begun + THREADS_SECONDS:
            threads = [thread for thread in threading.enumerate() if thread not in self.threads]
            more = _descriptors() - self.descriptors
            if not threads and not more:
                return time.monotonic() - since, [], []
            await asyncio.sleep(_LOOK_SECONDS)
        return None, sorted(thread.name for thread in threads), sorted(more)


def _descriptors() -> frozenset[str]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{name} -> {os.readlink(f'/proc/self/fd/{name}')}")
        except OSError:
            continue  # the directory's own
    return frozenset(found)
