"""Files that somebody removes to free space on a full disk: this worker's processes may hold them (docs/adr/0061)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

LOOK_SECONDS: Final = 10.0
"""How often the worker releases them while the disk is in trouble: each time, it replaces its spares."""


class Disk(Protocol):
    """The part of the journal that knows the disk's state."""

    @property
    def is_in_trouble(self) -> bool:
        """Whether the disk does not take what must be on it."""
        ...


async def let_go_while_in_trouble(
    disk: Disk, let_go: Callable[[], None], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """While the disk is in trouble, call `let_go` at intervals, until cancelled."""
    while True:
        await sleep(LOOK_SECONDS)
        if disk.is_in_trouble:
            let_go()
