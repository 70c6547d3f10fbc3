"""Processes that can't be killed for a while, as one that waits for a dead disk."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FREEZER: Final = Path("/sys/fs/cgroup/freezer")

_HOLD: Final = """
import ctypes, os, sys
# PTRACE_SEIZE with PTRACE_O_TRACEEXIT: it stops on its way out, until this process ends or lets it go on.
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
held = libc.ptrace(0x4206, int(sys.argv[1]), None, 0x40)
print(ctypes.get_errno() if held else 0, flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Freeze `pid` by the freezer of cgroups version 1, which no SIGKILL passes. Needs root. Raises `OSError`."""
    place = Path(tempfile.mkdtemp(prefix="neops-unkillable-", dir=FREEZER))
    try:
        (place / "cgroup.procs").write_text(str(pid))
        (place / "freezer.state").write_text("FROZEN")
        yield
    finally:
        (place / "freezer.state").write_text("THAWED")
        while (place / "cgroup.procs").read_text():  # it ends now, or goes where everybody is
            for left in (place / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    (FREEZER / "cgroup.procs").write_text(left)
        place.rmdir()


@contextlib.contextmanager
def held(pid: int) -> Iterator[None]:
    """Trace `pid`, a process of the same user, so that it stops when it is killed. Raises `OSError`."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _HOLD, str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as tracer:
        try:
            assert tracer.stdout is not None
            if number := int(tracer.stdout.readline()):
                raise OSError(number, os.strerror(number))
            yield
        finally:
            tracer.kill()
