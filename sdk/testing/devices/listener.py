"""The end of a listener, which forgets no connection that it has just accepted."""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

_TURNS: Final = 3
"""Of the loop, from the acceptance of a connection until its protocol knows of it."""


class _Listener(Protocol):
    def fileno(self) -> int: ...


async def accept_no_more(listeners: Iterable[_Listener]) -> None:
    """Accept no further connection, and return when each that was accepted is known to its protocol.

    To be called before an asyncio server is closed. A server that is closed in between refuses what it has accepted,
    and asyncio then leaves the connection open: its client waits until the garbage collector comes.
    """
    loop = asyncio.get_running_loop()
    for listener in listeners:
        loop.remove_reader(listener.fileno())
    for _ in range(_TURNS):
        await asyncio.sleep(0)
