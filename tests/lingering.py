"""A TCP connection whose other side takes nothing: who closes its last descriptor waits (SO_LINGER, socket(7))."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Final

LINGERS_SECONDS: Final = 30
NOT_HELD_UP_SECONDS: Final = 15.0
"""Less than that, and more than a busy machine takes for what waits for nothing."""


@contextlib.contextmanager
def lingering_connection() -> Iterator[socket.socket]:
    """Give one end, and end the other one after it: then nobody waits any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with far:
        near.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                near.send(bytes(2**20))
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGERS_SECONDS))
        yield near
