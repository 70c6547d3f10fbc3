"""Bombs of every kind. Each is bounded: in processes by a pipe of tokens, and in seconds."""

import contextlib
import ctypes
import os
import platform
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sdk import FunctionBlockResult, WorkflowContext, register_function_block

from .process_blocks import Base, Data, Params, block, done

MOST_PROCESSES: Final = 1500
MOST_SECONDS: Final = 12.0
_EXIT_OF_ONE_THREAD: Final = {"x86_64": 60, "aarch64": 93}[platform.machine()]
PROGRAM: Final = """#!/bin/sh
[ "$1" -gt 0 ] || exec sleep 12
setsid "$0" $(($1 - 1)) &
"$0" $(($1 - 1)) &
wait
"""


class Fuse:
    """What all processes of a bomb share: how many more there may be, and for how long."""

    def __init__(self) -> None:
        self._end = time.monotonic() + MOST_SECONDS
        self._tokens, fill = os.pipe()
        os.set_blocking(self._tokens, False)
        os.write(fill, bytes(MOST_PROCESSES))

    def burns(self) -> bool:
        return time.monotonic() < self._end

    def fork(self) -> int | None:
        """Fork; `None` where no token or no process is left for now."""
        try:
            return os.fork() if os.read(self._tokens, 1) else None
        except BlockingIOError:
            time.sleep(0.001)
            return None


def explode(fuse: Fuse, as_child: Callable[[], object]) -> None:
    """Fork, and have every fork do the same, after `as_child`."""
    while fuse.burns():
        if fuse.fork() == 0:
            as_child()


def plain(fuse: Fuse) -> None:
    explode(fuse, lambda: None)


def sessions(fuse: Fuse) -> None:
    explode(fuse, os.setsid)


def groups(fuse: Fuse) -> None:
    explode(fuse, os.setpgrp)


def double_forks(fuse: Fuse) -> None:
    def be_a_daemon() -> None:
        os.setsid()
        if fuse.fork() != 0:
            os._exit(0)

    explode(fuse, be_a_daemon)


def lit_by_one_that_ends(fuse: Fuse) -> None:
    if os.fork() == 0:
        os.setsid()
        sessions(fuse)


def deaf(fuse: Fuse) -> None:
    for number in range(1, signal.NSIG):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    sessions(fuse)


def climbs(fuse: Fuse) -> None:
    """Has each process take back what it was given: niceness, policy, and the share of its session."""

    def climb() -> None:
        os.setsid()
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -10)
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text("-10")

    explode(fuse, climb)


def threads(fuse: Fuse) -> None:
    """Has each process fork from several threads."""

    def fork_on() -> None:
        os.setsid()
        for _ in range(3):
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=explode, args=(fuse, fork_on), daemon=True).start()

    explode(fuse, fork_on)


def headless(fuse: Fuse) -> None:
    """Has the first thread of each process end, so that it looks like a zombie, and another fork on."""
    libc = ctypes.CDLL(None)

    def lose_the_head() -> None:
        os.setsid()
        threading.Thread(target=explode, args=(fuse, lose_the_head)).start()
        libc.syscall(_EXIT_OF_ONE_THREAD, 0)

    explode(fuse, lose_the_head)


def programs(fuse: Fuse) -> None:
    """Starts programs by vfork and exec, half of them in sessions of their own: ten generations."""
    Path("bomb").write_text(PROGRAM)
    Path("bomb").chmod(0o755)
    subprocess.Popen(["./bomb", "9"])
    while fuse.burns():
        time.sleep(0.1)


def rekindles(fuse: Fuse) -> None:
    """Goes off again when it may go on for its stack."""

    def go_off(*_: object) -> None:
        sessions(fuse)

    signal.signal(signal.SIGCONT, go_off)
    sessions(fuse)


KINDS: Final = {
    kind.__name__: kind
    for kind in (
        plain,
        sessions,
        groups,
        double_forks,
        lit_by_one_that_ends,
        deaf,
        climbs,
        threads,
        headless,
        programs,
        rekindles,
    )
}


@register_function_block(block("detonates"))
class Detonates(Base):
    """Is the bomb that `text` names. Returns success if it is let, and if `method` is "leave" as soon as it is lit."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        """Go off."""
        warnings.simplefilter("ignore")  # of forks beside threads
        fuse = Fuse()
        child = os.getpid()
        KINDS[params.text](fuse)
        if os.getpid() != child:
            os._exit(0)
        time.sleep(0.03)
        return done()
