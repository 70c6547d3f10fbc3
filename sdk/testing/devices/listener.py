"""How a listener ends without losing a connection that it has just accepted."""

import asyncio
import socket
from collections.abc import Iterable
from typing import Final, Protocol

_TURNS: Final = 3
"""Turns of the loop from the acceptance of a connection until its protocol knows it."""


class _Listener(Protocol):
    def fileno(self) -> int: ...


async def accept_no_more(listeners: Iterable[_Listener]) -> None:
    """Accept no further connection. Return when the protocols know all connections that were accepted.

    Call it before you close an asyncio server. A server that is closed in between refuses what it has accepted, and
    asyncio then leaves the connection open: its client waits until the garbage collector comes.
    """
    loop = asyncio.get_running_loop()
    for listener in listeners:
        loop.remove_reader(listener.fileno())
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def keep_port(host: str, port: int) -> socket.socket:
    """Return a socket that keeps a port while nobody listens on it: connections are refused, and nobody else gets it.

    Call it when the listener is closed, and listen on this socket later.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind((host, port))
    return kept
