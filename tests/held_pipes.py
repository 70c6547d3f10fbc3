"""A process that holds the lock of a pipe while it lives: it splices into it from a socket that has nothing."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.patience import wait_until

BEFORE: Final = b"before\n"
"""What it has printed before."""

_HOLD: Final = """
import os, signal, socket
signal.alarm(60)  # if the one who tests hangs in front of the lock, it can't end this
near, far = socket.socketpair()
os.write(1, b"before\\n")
os.write(2, b"now\\n")
os.splice(near.fileno(), 1, 100)
"""


class HeldPipe:
    """A pipe and the process that holds its lock. `end` is the one that is read; nobody else has the other."""

    def __init__(self) -> None:
        self.end, other = os.pipe()
        os.set_blocking(self.end, False)
        self._holder = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _HOLD], stdout=other, stderr=subprocess.PIPE
        )
        os.close(other)
        assert self._holder.stderr is not None
        assert self._holder.stderr.readline() == b"now\n"
        stat = Path(f"/proc/{self._holder.pid}/stat")
        wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "S", "it waits in the kernel")

    def let_go(self) -> None:
        """End the process."""
        self._holder.kill()
        self._holder.wait()
        assert self._holder.stderr is not None
        self._holder.stderr.close()


@contextlib.contextmanager
def held_pipes(count: int) -> Iterator[list[HeldPipe]]:
    """So many of them. Their ends are the caller's to close."""
    with contextlib.ExitStack() as stack:
        pipes = []
        for _ in range(count):
            pipes.append(HeldPipe())
            stack.callback(pipes[-1].let_go)
        yield pipes
