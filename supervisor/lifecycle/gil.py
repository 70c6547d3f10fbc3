"""For how long a child's main thread has held the GIL without letting go, judged by how often its threads wake up.

A thread of Python's that waits for the GIL wakes up each 5 ms to look (`sys.getswitchinterval`), which the kernel
counts. A child that is watched for code that blocks has a thread that wakes only a few times a second otherwise. Nobody
wakes in a process that is stopped or frozen: then this says 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SWITCH_SECONDS: Final = 0.005
_WAITING_SHARE: Final = 0.3
_RUNNING_SHARE: Final = 0.3
_FEWEST_TURNS: Final = 4


@dataclass(frozen=True, slots=True)
class ThreadSeen:
    """For how long a thread has run so far, and has waited for a processor, and how often it was given one."""

    cpu_seconds: float
    queued_seconds: float
    turns: int


def held_seconds(
    before: Mapping[int, ThreadSeen], after: Mapping[int, ThreadSeen], main: int, seconds: float
) -> float:
    """Judge two looks at all threads of a process, so many seconds apart. `main` is the main thread's number.

    What the main thread waited for a processor meanwhile does not count.
    """
    waiting = {
        number
        for number, now in after.items()
        if (then := before.get(number)) is not None and _waits(then, now, seconds)
    }
    if main not in before or main not in after or main in waiting or not waiting:
        return 0.0
    return max(0.0, seconds - (after[main].queued_seconds - before[main].queued_seconds))


def sleeps(
    before: Mapping[int, ThreadSeen], after: Mapping[int, ThreadSeen], main: int, seconds: float
) -> bool:
    """Whether the main thread has mostly slept between two looks: in a system call, when it holds the GIL."""
    if main not in before or main not in after:
        return False
    ran = after[main].cpu_seconds - before[main].cpu_seconds
    queued = after[main].queued_seconds - before[main].queued_seconds
    return ran + queued < _RUNNING_SHARE * seconds


def _waits(before: ThreadSeen, now: ThreadSeen, seconds: float) -> bool:
    turns = now.turns - before.turns
    ran = now.cpu_seconds - before.cpu_seconds
    # Of a thread that wakes up late, since others have the processors, fewer turns can be expected.
    awake = max(0.0, seconds - (now.queued_seconds - before.queued_seconds))
    return (
        turns >= max(_FEWEST_TURNS, _WAITING_SHARE * awake / _SWITCH_SECONDS)
        and ran < _RUNNING_SHARE * seconds
    )
