"""A write on its way to the disk, which any number of others may wait for."""

import asyncio
from typing import Any


class Saving:
    """Create with the write's future, or with none where nothing is to be waited for."""

    __slots__ = ("_future",)

    def __init__(self, future: "asyncio.Future[Any] | None" = None) -> None:
        self._future = future

    async def wait(self) -> None:
        """Return when it is on the disk, or as soon as it is known that the disk does not take it.

        Raises nothing. Cancelling this undoes nothing, and disturbs nobody else who waits.
        """
        if self._future is not None and not self._future.done():
            await asyncio.wait((self._future,))


SAVED = Saving()
"""Of what is on the disk already, or waits for a disk that is in trouble."""
