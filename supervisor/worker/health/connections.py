"""Connections to the health socket: who may connect, how many at a time, and for how long."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Final

from supervisor.process.closing import close_beside_the_loop

MOST_CONNECTIONS: Final = 128
CONNECTION_SECONDS: Final = 10.0
"""The longest time of a connection: a client that sends or reads more slowly is cut off."""

_SHORTAGE_SECONDS: Final = 0.5
_REST_FACTOR: Final = 9
"""After a refusal, it looks at no connection for so many times the refusal's duration. Accepting and refusing a waiting
one gives no other task its turn: a job that connects without a pause would keep all answers from everybody."""


class Connections:
    """The open connections. If there is one more than `MOST_CONNECTIONS`, the oldest is cut off: a job may hold many.

    `admit` says whether a client may connect at all; one that may not is cut off without a byte.
    """

    def __init__(
        self,
        admit: Callable[[socket.socket], bool],
        seconds: float = CONNECTION_SECONDS,
        most: int = MOST_CONNECTIONS,
    ) -> None:
        self._admit = admit
        self._seconds = seconds
        self._most = most
        self._open: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    async def accept(self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Use `protocol` on each connection, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:  # no descriptor is left for it, or the client is gone already
                await asyncio.sleep(_SHORTAGE_SECONDS)
                continue
            connection.setblocking(False)
            began = time.monotonic()
            if not self._admit(connection):
                close_beside_the_loop(connection.detach())  # together with what it has already sent
                await asyncio.sleep((time.monotonic() - began) * _REST_FACTOR)
                continue
            self._make_room()
            try:
                transport, _ = await loop.connect_accepted_socket(protocol, connection)
            except OSError:
                connection.close()
                continue
            self._open[transport] = loop.call_later(self._seconds, transport.abort)

    def _make_room(self) -> None:
        for transport in [each for each in self._open if each.is_closing()]:
            self._open.pop(transport).cancel()
        while len(self._open) >= self._most:
            self._cut_off(next(iter(self._open)))

    def _cut_off(self, transport: asyncio.Transport) -> None:
        self._open.pop(transport).cancel()
        transport.abort()

    def close(self) -> None:
        """Cut off all."""
        for transport in list(self._open):
            self._cut_off(transport)
