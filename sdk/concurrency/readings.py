"""What the kernel knows of the time of two threads: the one that is watched, and the one that watches.

Between two readings time has passed, and only a part of it speaks against the code that was running: not what the
thread waited for a processor, nor for the GIL that another thread held, nor the time in which the process was stopped.
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
"""A tenth of a second. Code of Python's lets go after one interval, or a little later on a busy machine."""

_READ_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clocks, in seconds, and counters.

    `cpu` and `queued` are for how long the watched thread has run, and has waited for a processor, and `turns`
    how often it was given one (/proc/…/schedstat); all 0 where the kernel tells nothing. `own_waits` is how often the
    watching thread has gone to sleep: once for its pause, and once each switch interval while it waits for the GIL;
    `own_queued` is for how long it has waited for a processor, each time that it woke up.
    """

    at: float
    cpu: float
    queued: float
    turns: int
    own_waits: int
    own_queued: float = 0.0


@dataclass(frozen=True, slots=True)
class Blocked:
    """What of the time between two readings speaks against the code of the watched thread, in seconds.

    `holding` is how much of it, at the end of that time, passed while that thread held the GIL in one go.
    """

    seconds: float
    holding: float


def take_reading(native_id: int) -> Reading:
    """Read the clocks. `native_id` is the kernel's number of the watched thread; called in the watching one."""
    cpu, queued, turns = _schedule_of(native_id)
    _, own_queued, _ = _schedule_of(threading.get_native_id())
    own_waits = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    return Reading(time.monotonic(), cpu, queued, turns, own_waits, own_queued)


def reading_at_start(native_id: int) -> Reading:
    """Return the reading with which the watching thread begins, which has not run yet."""
    cpu, queued, turns = _schedule_of(native_id)
    return Reading(time.monotonic(), cpu, queued, turns, own_waits=0)


def _schedule_of(native_id: int) -> tuple[float, float, int]:
    try:
        # Opened each time: a descriptor that stays open would be one more that a block could close.
        descriptor = os.open(f"/proc/self/task/{native_id}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            cpu, queued, turns = map(int, os.read(descriptor, _READ_BYTES).split())
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return 0.0, 0.0, 0
    return cpu / 1e9, queued / 1e9, turns


def blocked_between(before: Reading, now: Reading, pause_seconds: float) -> Blocked:
    """Judge the time between two readings; `pause_seconds` is how long the watching thread meant to sleep."""
    gap = now.at - before.at
    cpu = now.cpu - before.cpu
    off_cpu = max(0.0, gap - cpu - (now.queued - before.queued))
    interval = sys.getswitchinterval()
    waits = now.own_waits - before.own_waits - 1
    if waits >= _CONTENDED_WAITS:
        # Threads wait for the GIL in steps of the switch interval, and come to life after each.
        off_cpu -= min(off_cpu, (now.turns - before.turns) * interval)
    # Each of its waits was a little longer on a busy machine, by what it waited for a processor afterwards.
    waited = waits * interval + (now.own_queued - before.own_queued) if waits > 0 else 0.0
    # In a process that is stopped or frozen nobody waits for the GIL: of a gap that is longer than was meant, only
    # what the watching thread waited for it, or the watched one has run, has happened.
    seconds = max(cpu, min(cpu + off_cpu, pause_seconds + waited))
    return Blocked(seconds, min(seconds, waited) if waits >= _HELD_WAITS else 0.0)
