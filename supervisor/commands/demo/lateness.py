"""How late a beat was, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds by which `beats` beats were late; all zero when there was none."""

    beats: int
    median_seconds: float
    worst_seconds: float


def summarise(late_seconds: Sequence[float]) -> Lateness:
    """Return median and worst, each a measured value. Of thirty beats, other percentiles would not say more."""
    ordered = sorted(late_seconds) or [0.0]
    return Lateness(len(late_seconds), ordered[(len(ordered) - 1) // 2], ordered[-1])


def of_the_machine(measured: Sequence[Sequence[float]]) -> Lateness:
    """Return the lateness of the processor that was late the most. `measured` has the timers of each, in seconds."""
    return max(map(summarise, measured), key=lambda lateness: lateness.worst_seconds)


def held_up_beats(measured: Sequence[Sequence[float]], interval_seconds: float) -> int:
    """Return how many beats a process that runs on one of these processors may have lost while they stood still.

    The timers make up for each wake-up that they have missed, and the heartbeat makes up for none.
    """
    return sum(late > interval_seconds / 2 for timer in measured for late in timer)


@dataclass(frozen=True, slots=True)
class Period:
    """A period, in seconds of CLOCK_MONOTONIC."""

    began: float
    ended: float

    def beats(self, interval_seconds: float) -> int:
        """Return how many beats are due in it, plus or minus one at each end."""
        return int((self.ended - self.began) / interval_seconds)


def lateness_within(arrivals: Sequence[float], interval_seconds: float, period: Period) -> Lateness:
    """Return the lateness of the beats that were due in `period`, however late they came."""
    beats = zip(arrivals, late_beats(arrivals, interval_seconds), strict=True)
    return summarise([late for arrival, late in beats if period.began <= arrival - late <= period.ended])


def late_beats(arrivals: Sequence[float], interval_seconds: float) -> list[float]:
    """Return by how many seconds each beat was late; `arrivals` are times in seconds, in order.

    Beat n is due at the first beat plus n intervals. But if the first beat was late itself, all others would look too
    good. So the due times are moved until no beat is early.
    """
    shifted = [arrival - number * interval_seconds for number, arrival in enumerate(arrivals)]
    start = min(shifted, default=0.0)
    return [value - start for value in shifted]
