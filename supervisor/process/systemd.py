"""systemd, as the process that it started meets it: where it listens, and what may be said to it (sd_notify(3)).

Imports next to nothing: the keeper, which speaks to systemd, stays in memory for as long as the worker runs.
"""

import contextlib
import os
import re
import socket
from typing import Final

MAX_BYTES: Final = 2048
"""Of one message. systemd itself takes 4096 (`NOTIFY_BUFFER_MAX`)."""

_ALLOWED: Final = re.compile(
    rb"(?:READY|RELOADING|STOPPING|WATCHDOG)=1"
    rb"|(?:MONOTONIC_USEC|EXTEND_TIMEOUT_USEC|ERRNO)=[0-9]{1,20}"
    rb"|STATUS=[^\x00-\x1f\x7f]*"
)


def allowed(message: bytes) -> bytes:
    """Return those lines of a message that may be said to systemd: what a worker says of itself, and no more.

    What changes how systemd runs the service (`MAINPID`, `WATCHDOG=trigger`, `FDSTORE`) is left out, and so is what
    is longer than `MAX_BYTES` or is no UTF-8.
    """
    if len(message) > MAX_BYTES:
        return b""
    with contextlib.suppress(UnicodeDecodeError):
        message.decode()
        return b"\n".join(line for line in message.split(b"\n") if _ALLOWED.fullmatch(line))
    return b""


class Systemd:
    """Where systemd listens for this process, and how often it wants to hear of it."""

    def __init__(self, address: str, watchdog_seconds: float | None) -> None:
        # An address with @ is in the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_seconds = watchdog_seconds

    @classmethod
    def from_environment(cls) -> "Systemd | None":
        """Return it, and take it out of the environment, so that nothing that is started now hears of it.

        `None` where no systemd has started this process.
        """
        address = os.environ.pop("NOTIFY_SOCKET", "")
        microseconds = os.environ.pop("WATCHDOG_USEC", "")
        process = os.environ.pop("WATCHDOG_PID", "") or str(os.getpid())
        if not address:
            return None
        watched = process == str(os.getpid()) and microseconds.isdecimal() and int(microseconds) > 0
        return cls(address, int(microseconds) / 1e6 if watched else None)

    def send(self, message: bytes) -> bool:
        """Send it. Returns False where systemd's queue is full: to be tried again. Waits for nothing, raises nothing.

        An address where nobody listens is no reason to stop working, nor to try again.
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
