"""The stack of a job that goes on, taken so that it can't crash the job.

faulthandler walks the list of threads without the GIL. If a thread starts, ends or runs Python code meanwhile, it may
follow a pointer that is no longer one, and the job ends with SIGSEGV (seen once in some sixty dumps of a job that was
starting 120 threads). So it is asked for all threads only while every thread sleeps. Otherwise it shows the main
thread, which takes the signal and so stands still. At the end of a job nothing is lost by a crash: `take_dump` asks for
all threads at once.
"""

import asyncio
import os
from typing import Final

from jobrunner.protocol.linux import DUMP_SIGNAL
from supervisor.launcher.child import Child
from supervisor.process.proc import status_of
from supervisor.watch.stack import dumped_bytes, leave_out_since, take_dump

_LOOK_SECONDS: Final = 0.012
"""Longer than a thread sleeps that waits for the GIL: it tries again after 5 ms (sys.getswitchinterval)."""
_MOST_LOOKS: Final = 12
_MOST_THREADS: Final = 128
"""faulthandler shows the hundred newest threads, and looks at no others."""

_MOST_THREADS_ASKED: Final = 64
_DEAF_LOOK_SECONDS: Final = 0.02
_DEAF_LOOKS: Final = 5
_OWN_THREADS: Final = 2
"""The main thread, and the one that watches whether its event loop is blocked."""
_MAIN_ALONE: Final = "Stack (most recent call first)"
_THREAD: Final = "\nThread "

_Threads = dict[int, tuple[str, str]]


async def take_dump_in_turn(child: Child, *, for_a_person: bool = False) -> str:
    """Same as `take_dump_of_running`: one after the other, and not part of the evidence of the job's end.

    The code that ends the job does not wait for a turn. It cancels those that wait.
    """
    async with child.dump_turn:
        start = dumped_bytes(child)
        dump = await take_dump_of_running(child, for_a_person=for_a_person)
        leave_out_since(child, start)
        return dump


async def take_dump_of_running(child: Child, *, for_a_person: bool = False) -> str:
    """Same as `supervisor.watch.stack.take_dump`, but without harm to a job that goes on.

    If a thread of it runs for as long as this looks, 0.2 s, only the main thread is shown, and what is behind an event
    loop that waits.
    """
    main_only = not await _comes_to_rest(child.pid)
    # The signal would wait, and be answered when nobody asks any more.
    if await stays_deaf(child.pid):
        return ""
    return await take_dump(child, for_a_person=for_a_person, main_only=main_only)


def threads_left_out(pid: int, dump: str) -> bool:
    """Whether the process has threads of the job that such a dump does not show, because they ran."""
    try:
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return False
    return dump.startswith(_MAIN_ALONE) and _THREAD not in dump and threads > _OWN_THREADS


async def _comes_to_rest(pid: int) -> bool:
    """Wait a short time until no thread of the process runs. Returns whether that was seen."""
    before = _sleeping_threads(pid)
    for _ in range(_MOST_LOOKS):
        await asyncio.sleep(_LOOK_SECONDS)
        now = _sleeping_threads(pid)
        if now and now == before:
            return True
        before = now
    return False


def _sleeping_threads(pid: int) -> _Threads:
    """Return how often each thread of a process has slept and lost its processor. Empty if one runs or is ready to."""
    try:
        numbers = sorted(map(int, os.listdir(f"/proc/{pid}/task")))
    except OSError:
        return {}
    seen: _Threads = {}
    for number in {*numbers[:1], *numbers[-_MOST_THREADS:]}:
        status = status_of(pid, str(number))
        if status.get("State", "R")[:1] not in "SD":
            return {}
        seen[number] = status["voluntary_ctxt_switches"], status["nonvoluntary_ctxt_switches"]
    return seen


async def stays_deaf(pid: int) -> bool:
    """Whether no thread takes the signal that asks for a stack, also a short time later.

    At first, one may only be in the handler of a signal, for example the previous person's.
    """
    for _ in range(_DEAF_LOOKS):
        if not _is_deaf(pid):
            return False
        await asyncio.sleep(_DEAF_LOOK_SECONDS)
    return _is_deaf(pid)


def _is_deaf(pid: int) -> bool:
    # The kernel gives the signal to any thread that does not block it.
    try:
        threads = os.listdir(f"/proc/{pid}/task")[:_MOST_THREADS_ASKED]
    except OSError:
        return False
    return bool(threads) and all(_blocks(pid, thread) for thread in threads)


def _blocks(pid: int, thread: str) -> bool:
    blocked = status_of(pid, thread).get("SigBlk", "0")
    return bool(int(blocked, 16) >> (DUMP_SIGNAL - 1) & 1)
