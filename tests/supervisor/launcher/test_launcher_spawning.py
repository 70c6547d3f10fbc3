"""Interpreters that `multiprocess` starts and the supervisor waits for."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
INTERRUPTED = """
import os, time
from multiprocess import process
from supervisor.launcher.multiprocessing_spawn import Spawned

class Interrupting(set):
    interrupted = False

    def discard(self, started):
        if self.interrupted:
            return super().discard(started)
        self.interrupted = True
        print(started.pid, flush=True)
        raise KeyboardInterrupt

process._children = Interrupting()
Spawned(time.sleep, (100,), "test", dict(os.environ))
"""


def test_a_start_that_is_interrupted_keeps_no_program_from_ending() -> None:
    """`multiprocess` waits at the end of a program for what it has started, unless that is a daemon to it."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    assert "KeyboardInterrupt" in done.stderr
    assert not os.path.exists(f"/proc/{int(done.stdout)}")
