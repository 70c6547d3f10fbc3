"""How much longer than its computing this machine takes: what a promise in seconds must be measured by.

The worker promises to act within a time on a processor of its own. Beside other busy processes everybody waits for a
processor, and a test that counts this as the worker's lateness judges the machine.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

# Computes for a moment, again and again, and answers each line with the worst ratio since the one before.
_PROGRAM: Final = """
import os, select, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
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
    """Asks the processes that measure it, one on each processor: any of them may be taken away for a while."""

    def __init__(self, processes: "Sequence[subprocess.Popen[str]]") -> None:
        self._processes = processes
        self.since_asked()

    def since_asked(self) -> float:
        """How many times its computing a moment of computing took at worst since the last call; 1 or more."""
        return max([_answer_of(process) for process in self._processes])


def _answer_of(process: "subprocess.Popen[str]") -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


@contextmanager
def measured_slowness() -> Iterator[Slowness]:
    """Have processes of its own measure for as long as the context lasts."""
    with ExitStack() as until_then:
        processes = [
            until_then.enter_context(
                subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _PROGRAM, str(processor)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for processor in sorted(os.sched_getaffinity(0))
        ]
        yield Slowness(processes)
