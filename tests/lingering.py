"""A TCP connection whose other side takes nothing: who closes its last descriptor waits (SO_LINGER, socket(7))."""

import array
import contextlib
import errno
import socket
import struct
from collections.abc import Iterator
from typing import Final

import pytest

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


def send_urgently(over: socket.socket, descriptor: int) -> None:
    """Send a byte as urgent (MSG_OOB), and a descriptor with it. Skips the test if the kernel knows no such byte."""
    # Not by `socket.send_fds`: Python 3.11 does not pass the flags on.
    rights = array.array("i", [descriptor])
    try:
        over.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)], socket.MSG_OOB)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this kernel is older than Linux 5.15")
