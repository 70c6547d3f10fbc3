"""How long a child's main thread has held the GIL without a break, judged by how often its threads wake up.

A Python thread that waits for the GIL wakes up every 5 ms to look (`sys.getswitchinterval`), and the kernel counts
that. A child that is watched for blocking code has a thread that otherwise wakes only a few times a second. In a
stopped or frozen process no thread wakes up: then this returns 0.
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
    """How long a thread has run so far, and has waited for a processor, and how often it got one."""

    cpu_seconds: float
    queued_seconds: float
    turns: int


def held_seconds(
    before: Mapping[int, ThreadSeen], after: Mapping[int, ThreadSeen], main: int, seconds: float
) -> float:
    """Judge two looks at all threads of a process, so many seconds apart. `main` is the main thread's number.

    Time in which the main thread waited for a processor does not count.
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
    """Whether the main thread has mostly slept between two looks: in a system call, if it holds the GIL."""
    if main not in before or main not in after:
        return False
    ran = after[main].cpu_seconds - before[main].cpu_seconds
    queued = after[main].queued_seconds - before[main].queued_seconds
    return ran + queued < _RUNNING_SHARE * seconds


def _waits(before: ThreadSeen, now: ThreadSeen, seconds: float) -> bool:
    turns = now.turns - before.turns
    ran = now.cpu_seconds - before.cpu_seconds
    # A thread that wakes up late, because others have the processors, has fewer turns.
    awake = max(0.0, seconds - (now.queued_seconds - before.queued_seconds))
    return (
        turns >= max(_FEWEST_TURNS, _WAITING_SHARE * awake / _SWITCH_SECONDS)
        and ran < _RUNNING_SHARE * seconds
    )
