"""Files that somebody removes to free space on a full disk: processes of this worker may hold them (docs/adr/0061)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

LOOK_SECONDS: Final = 10.0
"""How often they are let go of while the disk is in trouble: each time, the children that wait are made anew."""


class Disk(Protocol):
    """The part of the journal that knows how its disk is."""

    @property
    def is_in_trouble(self) -> bool:
        """Whether the disk does not take what has to be on it."""
        ...


async def let_go_while_in_trouble(
    disk: Disk, let_go: Callable[[], None], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Call `let_go` now and then while the disk is in trouble, until cancelled."""
    while True:
        await sleep(LOOK_SECONDS)
        if disk.is_in_trouble:
            let_go()
