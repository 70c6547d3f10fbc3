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
"""How much a child can write into its dump. A part that was reported is not needed any more, and is overwritten."""

_FIXED_SIZE: Final = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


class Wiring:
    """Both ends of everything, until the child has its own.

    Raises `LaunchError` if the process has no descriptors left; then none of them stays open.
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
            # Anonymous memory instead of a pipe: a hung process can't block on it, because it is never full. And it can
            # still be read when the process is dead.
            self.dump = os.memfd_create("neops-stack", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            opened.callback(os.close, self.dump)
            # Its size is fixed: no limit of the child counts this memory.
            os.ftruncate(self.dump, DUMP_BYTES)
            fcntl.fcntl(self.dump, fcntl.F_ADD_SEALS, _FIXED_SIZE)
            opened.pop_all()

    def child_ends(self) -> Descriptors:
        """Return the descriptors for the child."""
        return Descriptors(self._child_channel.fileno(), self._child_stdout, self._child_stderr, self.dump)

    def close_child_ends(self) -> None:
        """Close the child's ends here. Without this, the end of a channel would never be seen."""
        if self._open_child_ends:
            self._open_child_ends = False
            self._child_channel.close()
            os.close(self._child_stdout)
            os.close(self._child_stderr)

    def close(self) -> None:
        """Close everything; for a child that never started."""
        self.close_child_ends()
        self.channel.close()
        for descriptor in (self.stdout, self.stderr, self.dump):
            os.close(descriptor)


def _pipe(opened: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        opened.callback(os.close, end)
    return ends
