"""One run of tests in processes of its own, of which nothing is left when it returns.

A mutant may lose processes, kill the wrong ones or never end. Where the kernel allows it, a run gets a namespace of
its own for process ids: it sees no other process, and its own end with it. Elsewhere its descendants are killed.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_CLONES = 0x20000000 | 0x00020000
"""`CLONE_NEWPID | CLONE_NEWNS`"""
_MS_PRIVATE_RECURSIVE: Final = 0x40000 | 0x4000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_libc: Final[Any] = ctypes.CDLL(None, use_errno=True)


def run_confined(work: Callable[[], None], timeout_seconds: float) -> bool:
    """Run `work` in a process of its own, and end all that it started. Returns whether it was done in time."""
    warden = os.fork()
    if warden == 0:
        in_time = False
        try:
            in_time = _guard(work, timeout_seconds)
        finally:
            os._exit(0 if in_time else 1)
    return os.waitstatus_to_exitcode(os.waitpid(warden, 0)[1]) == 0


def _guard(work: Callable[[], None], timeout_seconds: float) -> bool:
    _end_with_parent()
    os.setsid()
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    namespaced = _libc.unshare(ctypes.c_long(_CLONES)) == 0
    # The first process that is born into the namespace is its init: when it ends, the kernel kills all others.
    init = os.fork()
    if init == 0:
        _end_with_parent()
        _be_init(work, namespaced)
    in_time = _wait(init, timeout_seconds)
    if not in_time:
        os.kill(init, signal.SIGKILL)
        os.waitpid(init, 0)
    if not namespaced:
        _kill_descendants(os.getpid())
    return in_time


def _be_init(work: Callable[[], None], namespaced: bool) -> None:
    if namespaced:
        _libc.mount(b"none", b"/", None, _MS_PRIVATE_RECURSIVE, None)
        _libc.mount(b"proc", b"/proc", b"proc", 0, None)
    worker = os.fork()
    if worker == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
    while os.waitpid(-1, 0)[0] != worker:
        pass
    os._exit(0)


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(pid: int, timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
        time.sleep(0.005)
    return False


def _kill_descendants(root: int) -> None:
    """Kill what descends from `root` until nothing does. Orphans do, as `root` is a subreaper."""
    for _ in range(1000):
        found = _descendants(root)
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.005)


def _descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # A process may have given itself a name of any bytes.
                stat = (entry / "stat").read_text(errors="replace")
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found: list[int] = []
    for pid in parents:
        ancestor = parents[pid]
        while ancestor not in (0, root):
            ancestor = parents.get(ancestor, 0)
        if ancestor == root:
            found.append(pid)
    return found
