"""Closes descriptors in a thread if another process may have filled them: that process decides how long it takes.

A Unix socket can carry descriptors. Closing the last descriptor of a lingering TCP connection (SO_LINGER, socket(7))
waits in the kernel until the other side has taken what was sent. Closing the last one of a file on NFS waits for its
server. This process waits so too, if it closes a socket in which such a descriptor is on its way, or if it reads the
bytes that came with one and has no room for it.
"""

import contextlib
import os
import socket
import struct
from collections.abc import Iterable
from typing import Final

from supervisor.errors import StartRefusedError
from supervisor.process.disk_thread import DiskThread

_DESCRIPTOR: Final = struct.Struct("i")
ROOM_FOR_DESCRIPTORS: Final = socket.CMSG_LEN(253 * _DESCRIPTOR.size)
"""Room for as many as one message can carry (SCM_MAX_FD of Linux's include/net/scm.h)."""

_NOT_LINGERING: Final = struct.pack("ii", 0, 0)
_READ_BYTES: Final = 64 * 1024
_MOST_READS: Final = 1000
"""From one closed socket and from all sockets in it: the process at the other end may go on sending."""

_thread: DiskThread | None = None
"""Made when it is first needed: honest jobs send no descriptors."""


def pass_on_urgent_bytes(end: socket.socket) -> None:
    """Make the kernel pass on a byte that is sent as urgent (MSG_OOB), and what comes with it, like any other.

    Otherwise it drops the byte in the call that reads up to it, and closes the descriptors that came with the byte in
    that call (`manage_oob` in Linux's net/unix/af_unix.c, Linux 5.15).
    """
    end.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)


def descriptors_in(passed: Iterable[tuple[int, int, bytes]]) -> list[int]:
    """Return the descriptors that `socket.recvmsg` has found beside the bytes. This process owns them now."""
    return [number for _, _, data in passed for (number,) in _DESCRIPTOR.iter_unpack(data)]


def close_beside_the_loop(*descriptors: int) -> None:
    """Close descriptors soon, in a thread. Call it on a loop, which does not wait.

    If no thread can be had they stay open: that costs less than a loop that hangs.
    """
    global _thread
    if _thread is None:
        try:
            _thread = DiskThread("closing")
        except StartRefusedError:
            return
    _thread.submit(_close, descriptors)


def _close(descriptors: Iterable[int]) -> None:
    """Close them with all that travels in them. Connections don't linger: one job would hold up the others' closing."""
    waiting, reads = list(descriptors), 0
    while waiting:
        descriptor = waiting.pop()
        try:
            closing = socket.socket(fileno=descriptor)
        except OSError:  # it is not a socket
            with contextlib.suppress(OSError):
                os.close(descriptor)
            continue
        with closing, contextlib.suppress(OSError):
            closing.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_LINGERING)
            pass_on_urgent_bytes(closing)
            listens = closing.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and closing.family == socket.AF_UNIX:
                closing.setblocking(False)
                while reads < _MOST_READS:  # what was sent over a connection that nobody has accepted yet
                    reads += 1
                    waiting.append(closing.accept()[0].detach())
            while closing.family == socket.AF_UNIX and reads < _MOST_READS:
                reads += 1
                flags = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
                data, passed, _, _ = closing.recvmsg(_READ_BYTES, ROOM_FOR_DESCRIPTORS, flags)
                waiting += descriptors_in(passed)
                if not data and not passed:
                    break
