"""The control socket between supervisor and template: fork requests with descriptors, starts with pids.

A `SOCK_SEQPACKET` pair without an address: one datagram is one message, and nobody else can connect to it.
"""

import errno
import json
import os
import socket
from dataclasses import asdict, dataclass
from typing import Final

from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.entry import Descriptors

_MESSAGE_CAP_BYTES: Final = 1024
_DESCRIPTORS_PER_CHILD: Final = 4

_HIGHEST_PID: Final = 2**22
"""PID_MAX_LIMIT of Linux's include/linux/threads.h on 64-bit machines."""


@dataclass(frozen=True, slots=True)
class Started:
    """A child that exists, with the number of the request it answers.

    `pid` is 0 when it could not be started, and `error` the kernel's number for the reason, where there is one.
    """

    request: int
    pid: int
    error: int = 0


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """Whoever forks children is asked for one. One that `rehearses` is ready later, and its job is faster."""

    request: int
    descriptors: Descriptors
    confinement: Confinement
    rehearses: bool = True


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """The template is asked for a process that holds a session, and gets its requests over `control_fd`."""

    request: int
    control_fd: int


def send_session_request(control: socket.socket, request: int, theirs: socket.socket) -> None:
    """Ask the template for a session holder, with its end of a control socket. Raises `OSError` when it is gone."""
    socket.send_fds(control, [json.dumps({"request": request}).encode()], [theirs.fileno()])


def send_fork_request(control: socket.socket, asked: ChildRequest) -> None:
    """Ask the template for one child. Raises `OSError` (`BrokenPipeError`) when the template is gone."""
    ends = asked.descriptors
    passed = [ends.channel, ends.stdout, ends.stderr, ends.dump]
    message = {
        "request": asked.request,
        "confinement": asked.confinement.to_json(),
        "rehearses": asked.rehearses,
    }
    socket.send_fds(control, [json.dumps(message).encode()], passed)


def receive_fork_request(control: socket.socket) -> ChildRequest | SessionRequest | None:
    """Wait for the next request that can be met; `None` when the supervisor is gone.

    Where the kernel has no numbers left for the descriptors that come with one, it is answered here.
    """
    while True:
        data, passed, _, _ = socket.recv_fds(control, _MESSAGE_CAP_BYTES, _DESCRIPTORS_PER_CHILD)
        if not data:
            return None
        message = json.loads(data)
        if len(passed) == (_DESCRIPTORS_PER_CHILD if "confinement" in message else 1):
            break
        for descriptor in passed:
            os.close(descriptor)
        announce_start(control, Started(int(message["request"]), 0, errno.EMFILE))
    for descriptor in passed:
        os.set_inheritable(descriptor, False)
    if "confinement" not in message:
        return SessionRequest(int(message["request"]), *passed)
    confinement = Confinement.from_json(message["confinement"])
    return ChildRequest(int(message["request"]), Descriptors(*passed), confinement, message["rehearses"])


def announce_start(control: socket.socket, start: Started) -> None:
    """Tell the supervisor of a child. A middle process does so before it ends, which makes it the supervisor's."""
    control.send(json.dumps(asdict(start)).encode())


def receive_starts(control: socket.socket) -> tuple[list[Started], bool]:
    """Take every announcement that is there, without waiting.

    Second value: whether the template is gone, or has sent what is no announcement and can't be trusted any more.
    """
    starts: list[Started] = []
    while True:
        try:
            data = control.recv(_MESSAGE_CAP_BYTES)
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
    """Read one announcement; `None` for what the template's own code never sends.

    A module of blocks may write to this socket while it is imported. Its numbers must not become signals: -1 is
    everybody, and 1 and this process are nobody's child.
    """
    try:
        message = json.loads(data)
        request, pid, error = message["request"], message["pid"], message.get("error", 0)
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    if any(type(number) is not int for number in (request, pid, error)) or error not in {0, *errno.errorcode}:
        return None
    return Started(request, pid, error) if 0 <= pid <= _HIGHEST_PID and pid not in (1, os.getpid()) else None
