"""Telling systemd how the worker is (sd_notify(3)). Does nothing where no systemd listens."""

import contextlib
import os
import socket
from typing import Final

_VARIABLE: Final = "NOTIFY_SOCKET"


class Notifier:
    """Takes the address out of the environment, so that no job can speak in the worker's name."""

    def __init__(self) -> None:
        address = os.environ.pop(_VARIABLE, "")
        # An address with @ is in the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def send(self, *lines: str) -> None:
        """Send assignments such as ``READY=1``. Failing to is no reason to stop working."""
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.setblocking(False)
            sender.sendto("\n".join(lines).encode(), self._address)
