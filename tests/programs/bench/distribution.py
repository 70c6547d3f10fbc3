"""Percentiles of what was measured, and how late the beats of a heartbeat were."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Distribution:
    """Percentiles of `count` measured seconds; all zero when nothing was measured."""

    count: int
    p50: float
    p95: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """Take percentiles by nearest rank, so that each is a value that was really measured."""
        ordered = sorted(seconds) or [0.0]

        def percentile(share: float) -> float:
            return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

        return cls(len(seconds), percentile(0.5), percentile(0.95), percentile(0.99), ordered[-1])


@dataclass(frozen=True, slots=True)
class LateBeat:
    """One beat: when it came (in the caller's seconds), and by how many seconds it was late."""

    came_at: float
    late_seconds: float


def late_beats(arrivals: Sequence[float], interval_seconds: float) -> list[LateBeat]:
    """Return by how much each beat was late, on the grid that the first beats laid; `arrivals` are in order.

    A beat that was more than an interval late stands for those that were due meanwhile and never came: they count as
    late beats of their own. Otherwise one long silence would be one bad value among many good ones.
    """
    beats: list[LateBeat] = []
    due = arrivals[0] if arrivals else 0.0
    for arrival in arrivals:
        # A beat can't be early, so the ones before it were late: the grid is laid anew.
        due = min(due, arrival)
        late = arrival - due
        beats.append(LateBeat(arrival, late))
        while (late := late - interval_seconds) > 0:
            beats.append(LateBeat(arrival, late))
        # As the heartbeat has it: it does not make up for beats that it has missed.
        due = max(due + interval_seconds, arrival)
    return beats
