"""Processes that can't be killed, or not be waited for, for a while: a disk is dead, or somebody traces them."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FREEZER: Final = Path("/sys/fs/cgroup/freezer")

_TRACE: Final = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
refused = libc.ptrace(0x4206, int(sys.argv[1]), None, int(sys.argv[2]))  # PTRACE_SEIZE
print(ctypes.get_errno() if refused else 0, flush=True)
sys.stdin.read()
"""
_STOPS_AT_ITS_END: Final = 0x40
"""PTRACE_O_TRACEEXIT: it stops on its way out, until its tracer ends or lets it go on."""


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
    with _traced(pid, _STOPS_AT_ITS_END):
        yield


@contextlib.contextmanager
def traced(pid: int) -> Iterator[None]:
    """Trace `pid`, a process of the same user: once dead, nobody can wait for it until this ends. Raises `OSError`."""
    with _traced(pid, 0):
        yield


@contextlib.contextmanager
def _traced(pid: int, options: int) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _TRACE, str(pid), str(options)],
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
