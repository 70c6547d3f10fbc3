"""systemd from the view of a process that it started: where it listens, and what may be sent to it (sd_notify(3)).

Imports almost nothing: the keeper, which sends to systemd, stays in memory for as long as the worker runs.
"""

import contextlib
import os
import re
import socket
from typing import Final

MAX_BYTES: Final = 2048
"""The cap of one message. systemd itself takes 4096 (`NOTIFY_BUFFER_MAX`)."""

_ALLOWED: Final = re.compile(
    rb"(?:READY|RELOADING|STOPPING|WATCHDOG)=1"
    rb"|(?:MONOTONIC_USEC|EXTEND_TIMEOUT_USEC|ERRNO)=[0-9]{1,20}"
    rb"|STATUS=[^\x00-\x1f\x7f]*"
)


def allowed(message: bytes) -> bytes:
    """Return the lines of a message that may be sent to systemd: only what a worker reports of itself.

    Lines that change how systemd runs the service (`MAINPID`, `WATCHDOG=trigger`, `FDSTORE`) are left out. So is a
    message that is longer than `MAX_BYTES` or not UTF-8.
    """
    if len(message) > MAX_BYTES:
        return b""
    with contextlib.suppress(UnicodeDecodeError):
        message.decode()
        return b"\n".join(line for line in message.split(b"\n") if _ALLOWED.fullmatch(line))
    return b""


class Systemd:
    """Where systemd listens for this process, and how often it expects a message."""

    def __init__(self, address: str, watchdog_seconds: float | None) -> None:
        # An address with @ is in the abstract namespace of sockets.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_seconds = watchdog_seconds

    @classmethod
    def from_environment(cls) -> "Systemd | None":
        """Return it, and remove its variables from the environment: processes that start later don't get them.

        `None` if no systemd has started this process.
        """
        address = os.environ.pop("NOTIFY_SOCKET", "")
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        process = os.environ.pop("WATCHDOG_PID", "") or str(os.getpid())
        if not address:
            return None
        watched = process == str(os.getpid()) and microseconds.isdecimal() and int(microseconds) > 0
        return cls(address, int(microseconds) / 1e6 if watched else None)

    def send(self, message: bytes) -> bool:
        """Send it. Returns False if systemd's queue is full: try again. Waits for nothing, raises nothing.

        If nobody listens at the address, the worker goes on and does not try again.
        """
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(message, self._address)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True
