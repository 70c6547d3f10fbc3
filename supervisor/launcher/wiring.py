"""The descriptors between supervisor and one child: channel, stdout, stderr, and the file for stack dumps."""

import contextlib
import fcntl
import os
import socket
from typing import Final

from jobrunner.protocol.entry import Descriptors
from supervisor.errors import LaunchError
from supervisor.process.shortage import explain

DUMP_BYTES: Final = 2**20
"""How much a child can write into its dump. What is told is not needed any more, and is written over."""

_FIXED_SIZE: Final = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class Wiring:
    """Both ends of everything, until the child has its own.

    Raises `LaunchError` when the process has no descriptors left; then none of them stays open.
    """

    def __init__(self) -> None:
        try:
            self._open()
        except OSError as error:
            raise LaunchError(f"A child could not be started: {explain(error)}") from error
        self.channel.setblocking(False)
        for descriptor in (self.stdout, self.stderr):
            os.set_blocking(descriptor, False)
        self._open_child_ends = True

    def _open(self) -> None:
        with contextlib.ExitStack() as opened:
            self.channel, self._child_channel = socket.socketpair()
            opened.callback(self.channel.close)
            opened.callback(self._child_channel.close)
            self.stdout, self._child_stdout = _pipe(opened)
            self.stderr, self._child_stderr = _pipe(opened)
            # Anonymous memory instead of a pipe: the dump of a hung process can't block on a full one, and it can
            # still be read when the process is dead.
            self.dump = os.memfd_create("neops-stack", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            opened.callback(os.close, self.dump)
            # Of one size for good: it is memory that no limit of the child counts.
            os.ftruncate(self.dump, DUMP_BYTES)
            fcntl.fcntl(self.dump, fcntl.F_ADD_SEALS, _FIXED_SIZE)
            opened.pop_all()

    def child_ends(self) -> Descriptors:
        """Return what is passed to the child."""
        return Descriptors(self._child_channel.fileno(), self._child_stdout, self._child_stderr, self.dump)

    def close_child_ends(self) -> None:
        """Close the child's ends here. Without this, the end of a channel would never be seen."""
        if self._open_child_ends:
            self._open_child_ends = False
            self._child_channel.close()
            os.close(self._child_stdout)
            os.close(self._child_stderr)

    def close(self) -> None:
        """Close everything; for a child that never came to be."""
        self.close_child_ends()
        self.channel.close()
        for descriptor in (self.stdout, self.stderr, self.dump):
            os.close(descriptor)


def _pipe(opened: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        opened.callback(os.close, end)
    return ends
