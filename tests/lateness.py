"""How much longer than its computing this machine takes: what a promise in seconds must be measured by.

The worker promises to act within a time on a processor of its own. Beside other busy processes everybody waits for a
processor, and a test that counts this as the worker's lateness judges the machine.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Computes for a moment, again and again, and answers each line with the worst ratio since the one before.
_PROGRAM: Final = """
import select, sys, time
worst = 1.0
while True:
    asked, _, _ = select.select([sys.stdin], [], [], 0.05)
    begun, end = time.monotonic(), time.process_time() + 0.005
    while time.process_time() < end:
        pass
    worst = max(worst, (time.monotonic() - begun) / 0.005)
    if asked:
        if not sys.stdin.readline():
            break
        print(worst, flush=True)
        worst = 1.0
"""


class Slowness:
    """Asks the process that measures it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.since_asked()

    def since_asked(self) -> float:
        """How many times its computing a moment of computing took at worst since the last call; 1 or more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


@contextmanager
def measured_slowness() -> Iterator[Slowness]:
    """Have a process of its own measure for as long as the context lasts."""
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Slowness(process)
