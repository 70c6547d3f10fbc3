"""What the kernel knows about the time of two threads: the watched one and the watching one.

Of the time between two readings, only a part speaks against the code that ran. The time does not count in which the
thread waited for a processor, or for the GIL that another thread held, or in which the process was stopped.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from typing import Final

_CONTENDED_WAITS: Final = 3
_HELD_WAITS: Final = 20
"""A tenth of a second. Python code lets the GIL go after one interval, or a little later on a busy machine."""

_READ_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clocks, in seconds, and counters.

    `cpu` is how long the watched thread has run, `queued` how long it has waited for a processor, and `turns` how often
    it got one (/proc/…/schedstat); all are 0 if the kernel reports nothing. `own_waits` is how often the watching
    thread has gone to sleep: once for its pause, and once in each switch interval while it waits for the GIL.
    `own_queued` is how long it has waited for a processor in all, each time that it woke up.
    """

    at: float
    cpu: float
    queued: float
    turns: int
    own_waits: int
    own_queued: float = 0.0


@dataclass(frozen=True, slots=True)
class Blocked:
    """The part of the time between two readings that speaks against the code of the watched thread, in seconds.

    `holding` is the part of it, at its end, in which that thread held the GIL without a break.
    """

    seconds: float
    holding: float


def take_reading(native_id: int) -> Reading:
    """Read the clocks. `native_id` is the kernel's number of the watched thread; the watching thread calls this."""
    cpu, queued, turns = _schedule_of(native_id)
    _, own_queued, _ = _schedule_of(threading.get_native_id())
    own_waits = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    return Reading(time.monotonic(), cpu, queued, turns, own_waits, own_queued)


def reading_at_start(native_id: int) -> Reading:
    """Return the first reading of the watching thread, which has not run yet."""
    cpu, queued, turns = _schedule_of(native_id)
    return Reading(time.monotonic(), cpu, queued, turns, own_waits=0)


def _schedule_of(native_id: int) -> tuple[float, float, int]:
    try:
        # Opened each time: a block could close a descriptor that stays open.
        descriptor = os.open(f"/proc/self/task/{native_id}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            cpu, queued, turns = map(int, os.read(descriptor, _READ_BYTES).split())
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return 0.0, 0.0, 0
    return cpu / 1e9, queued / 1e9, turns


def blocked_between(before: Reading, now: Reading, pause_seconds: float) -> Blocked:
    """Judge the time between two readings; `pause_seconds` is the sleep that the watching thread intended."""
    gap = now.at - before.at
    cpu = now.cpu - before.cpu
    off_cpu = max(0.0, gap - cpu - (now.queued - before.queued))
    interval = sys.getswitchinterval()
    waits = now.own_waits - before.own_waits - 1
    if waits >= _CONTENDED_WAITS:
        # Threads wait for the GIL in steps of the switch interval, and run a moment after each step.
        off_cpu -= min(off_cpu, (now.turns - before.turns) * interval)
    # On a busy machine each wait took a little longer, because the thread then waited for a processor.
    waited = waits * interval + (now.own_queued - before.own_queued) if waits > 0 else 0.0
    # Nobody waits for the GIL in a process that is stopped or frozen. So if the gap is longer than intended, only two
    # parts of it count: what the watching thread waited for the GIL, and what the watched one has run.
    seconds = max(cpu, min(cpu + off_cpu, pause_seconds + waited))
    return Blocked(seconds, min(seconds, waited) if waits >= _HELD_WAITS else 0.0)
