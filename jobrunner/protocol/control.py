"""The control socket between supervisor and template: fork requests with descriptors, starts with pids.

It is a `SOCK_SEQPACKET` pair without an address: one datagram is one message, and nobody else can connect to it. All
messages have one fixed length and are binary. A process that forks shares all its memory with each fork. Memory that it
writes between forks, for example to read JSON, is copied for each child.
"""

import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.confinement import PACKED_BYTES
from jobrunner.protocol.entry import Descriptors

_SESSION_REQUEST: Final = struct.Struct("=Q")
"""The fields of `SessionRequest`, except those that come as descriptors."""
_CHILD_REQUEST: Final = struct.Struct(f"=Q?{PACKED_BYTES}s")
"""The fields of `ChildRequest`: its number, whether it rehearses, its confinement."""
_STARTED: Final = struct.Struct("=Qii")
"""The fields of `Started`."""

_DESCRIPTOR: Final = struct.Struct("=i")
_DESCRIPTORS_PER_CHILD: Final = 4
_ROOM_FOR_DESCRIPTORS: Final = socket.CMSG_LEN(_DESCRIPTORS_PER_CHILD * _DESCRIPTOR.size)

_HIGHEST_PID: Final = 2**22
"""PID_MAX_LIMIT of Linux's include/linux/threads.h on 64-bit machines."""


@dataclass(frozen=True, slots=True)
class Started:
    """A child that exists, with the number of the request that it answers.

    If it could not be started, `pid` is 0, and `error` the kernel's number for the reason, if there is one.
    """

    request: int
    pid: int
    error: int = 0


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """A request for a child. A child that `rehearses` is ready later, but its job is faster."""

    request: int
    descriptors: Descriptors
    confinement: bytes
    """Made by `Confinement.pack`: only the child must read it."""
    rehearses: bool = True


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A request to the template for a process that holds a session. Its own requests come over `control_fd`."""

    request: int
    control_fd: int


def send_session_request(control: socket.socket, request: int, theirs: socket.socket) -> None:
    """Ask the template for a session holder. Send it its end of a control socket. Raises `OSError` if it is gone."""
    socket.send_fds(control, [_SESSION_REQUEST.pack(request)], [theirs.fileno()])


def send_fork_request(control: socket.socket, asked: ChildRequest) -> None:
    """Ask the template for one child. Raises `OSError` (`BrokenPipeError`) if the template is gone."""
    ends = asked.descriptors
    passed = [ends.channel, ends.stdout, ends.stderr, ends.dump]
    record = _CHILD_REQUEST.pack(asked.request, asked.rehearses, asked.confinement)
    socket.send_fds(control, [record], passed)


def receive_fork_request(control: socket.socket) -> ChildRequest | SessionRequest | None:
    """Wait for the next request that can be met; `None` if the supervisor is gone.

    If the kernel has no numbers left for the descriptors of a request, this answers it.
    """
    while True:
        # Not by `socket.recv_fds`: Python 3.11 does not pass the flags on. One byte more, because otherwise a longer
        # message would look like a record.
        data, sent, _, _ = control.recvmsg(
            _CHILD_REQUEST.size + 1, _ROOM_FOR_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
        if not data:
            return None
        passed = [number for _, _, numbers in sent for (number,) in _DESCRIPTOR.iter_unpack(numbers)]
        if len(data) == _SESSION_REQUEST.size:
            (request,) = _SESSION_REQUEST.unpack(data)
            if len(passed) == 1:
                return SessionRequest(request, *passed)
        else:
            request, rehearses, confinement = _CHILD_REQUEST.unpack(data)
            if len(passed) == _DESCRIPTORS_PER_CHILD:
                return ChildRequest(request, Descriptors(*passed), confinement, rehearses)
        for descriptor in passed:
            os.close(descriptor)
        announce_start(control, Started(request, 0, errno.EMFILE))


def announce_start(control: socket.socket, start: Started) -> None:
    """Report a child to the supervisor. A middle process does so before it ends, so its child is the supervisor's."""
    control.send(_STARTED.pack(start.request, start.pid, start.error))


def receive_starts(control: socket.socket) -> tuple[list[Started], bool]:
    """Return all announcements that have come, without waiting.

    The second value says whether the template is gone, or has sent something else and can't be trusted any more.
    """
    starts: list[Started] = []
    while True:
        try:
            data = control.recv(_STARTED.size + 1)  # enough to see that a message is too long
        except BlockingIOError:
            return starts, False
        except ConnectionError:
            return starts, True
        if not data:
            return starts, True
        start = _start_of(data)
        if start is None:
            return starts, True
        starts.append(start)


def _start_of(data: bytes) -> Started | None:
    """Read one announcement; `None` for data that the template's own code never sends.

    A module of blocks may write to this socket during its import. Its numbers must not become signals: -1 means
    everybody, and 1 and this process are nobody's children. A text of the same length gives a pid beyond all pids.
    """
    if len(data) != _STARTED.size:
        return None
    request, pid, error = _STARTED.unpack(data)
    if error != 0 and error not in errno.errorcode:
        return None
    return Started(request, pid, error) if 0 <= pid <= _HIGHEST_PID and pid not in (1, os.getpid()) else None
