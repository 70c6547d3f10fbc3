"""A write that is on its way to the disk. Any number of callers may wait for it."""

import asyncio
from typing import Any


class Saving:
    """Create it with the write's future, or without one if there is nothing to wait for."""

    __slots__ = ("_future",)

    def __init__(self, future: "asyncio.Future[Any] | None" = None) -> None:
        self._future = future

    async def wait(self) -> None:
        """Return when it is on the disk, or as soon as the disk is known to refuse it.

        Raises nothing. Cancelling this undoes nothing, and does not disturb other waiters.
        """
        if self._future is not None and not self._future.done():
            await asyncio.wait((self._future,))


SAVED = Saving()
"""For data that is on the disk already, or that waits for a disk in trouble."""
