"""The descriptor over which the kernel asks about a job's process groups, and the answers (seccomp_unotify(2))."""

import contextlib
import errno
import fcntl
import os
import select
import struct
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.group_calls import GroupCall, read_call

# <linux/seccomp.h>: struct seccomp_notif (with seccomp_data in it) and seccomp_notif_resp.
_ASKED: Final = struct.Struct("=QIIiIQ6Q")
_ANSWER: Final = struct.Struct("=QqiI")
_GO_ON: Final = 1
_RECEIVE: Final = 0xC0502100
_SEND: Final = 0xC0182101
_IS_VALID: Final = 0x40082102


@dataclass(frozen=True, slots=True)
class Asked:
    """A thread of a job that waits in the kernel for an answer."""

    number: int
    thread: int
    call: GroupCall | None


class GroupListener:
    """Receives and answers. Owns the descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._broken = False
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def fileno(self) -> int:
        """Return the descriptor for a poll."""
        return self._descriptor

    def is_over(self) -> bool:
        """Whether nobody will ask any more: no process is left that could."""
        return self._broken or bool(self._events() & ~select.POLLIN)

    def receive(self) -> Asked | None:
        """Return the next question, `None` if there is none (any more). Never waits."""
        # First a poll: the call that receives would wait for a question.
        if not self._events() & select.POLLIN:
            return None
        buffer = bytearray(_ASKED.size)
        try:
            fcntl.ioctl(self._descriptor, _RECEIVE, buffer)
        except OSError as error:
            self._broken = error.errno not in (errno.ENOENT, errno.EINTR)  # otherwise it was killed meanwhile
            return None
        number, thread, _, called, architecture, _, *arguments = _ASKED.unpack(buffer)
        return Asked(number, thread, read_call(architecture, called, (arguments[0], arguments[1])))

    def _events(self) -> int:
        events = self._poll.poll(0)
        return events[0][1] if events else 0

    def still_waits(self, asked: Asked) -> bool:
        """Whether the thread still waits. Then its number can't belong to another one."""
        try:
            fcntl.ioctl(self._descriptor, _IS_VALID, struct.pack("=Q", asked.number))
        except OSError:
            return False
        return True

    def allow(self, asked: Asked) -> None:
        """Let the kernel do the call."""
        self._answer(_ANSWER.pack(asked.number, 0, 0, _GO_ON))

    def refuse(self, asked: Asked) -> None:
        """Make the call fail with EAGAIN."""
        self._answer(_ANSWER.pack(asked.number, 0, -errno.EAGAIN, 0))

    def forbid(self, asked: Asked) -> None:
        """Make the call fail with EPERM."""
        self._answer(_ANSWER.pack(asked.number, 0, -errno.EPERM, 0))

    def deny(self, asked: Asked) -> None:
        """Make the call fail with ESRCH: there is no such process."""
        self._answer(_ANSWER.pack(asked.number, 0, -errno.ESRCH, 0))

    def _answer(self, answer: bytes) -> None:
        with contextlib.suppress(OSError):  # killed meanwhile
            fcntl.ioctl(self._descriptor, _SEND, answer)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)
