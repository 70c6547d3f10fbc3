"""The control socket between supervisor and template: fork requests with descriptors, births with pids.

A ``SOCK_SEQPACKET`` pair without an address: one datagram is one message, and nobody else can connect to it.
"""

import json
import os
import socket
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.entry import Descriptors

_MESSAGE_CAP_BYTES: Final = 256
_DESCRIPTORS_PER_CHILD: Final = 4


@dataclass(frozen=True, slots=True)
class Birth:
    """A child that exists, with the number of the request it answers. ``pid`` is 0 when the fork failed."""

    request: int
    pid: int


def send_fork_request(control: socket.socket, request: int, descriptors: Descriptors) -> None:
    """Ask the template for one child. Raises `OSError` (`BrokenPipeError`) when the template is gone."""
    passed = [descriptors.channel, descriptors.stdout, descriptors.stderr, descriptors.dump]
    socket.send_fds(control, [json.dumps({"request": request}).encode()], passed)


def receive_fork_request(control: socket.socket) -> tuple[int, Descriptors] | None:
    """Wait for the next request; `None` when the supervisor is gone."""
    data, passed, _, _ = socket.recv_fds(control, _MESSAGE_CAP_BYTES, _DESCRIPTORS_PER_CHILD)
    if not data:
        return None
    for descriptor in passed:
        os.set_inheritable(descriptor, False)
    return int(json.loads(data)["request"]), Descriptors(*passed)


def announce_birth(control: socket.socket, birth: Birth) -> None:
    """Tell the supervisor of a child, before the middle process ends and the supervisor becomes its parent."""
    control.send(json.dumps({"request": birth.request, "pid": birth.pid}).encode())


def receive_births(control: socket.socket) -> tuple[list[Birth], bool]:
    """Take every announcement that is there, without waiting. Second value: whether the template is gone."""
    births: list[Birth] = []
    while True:
        try:
            data = control.recv(_MESSAGE_CAP_BYTES)
        except BlockingIOError:
            return births, False
        except ConnectionError:
            return births, True
        if not data:
            return births, True
        message = json.loads(data)
        births.append(Birth(int(message["request"]), int(message["pid"])))
