"""The arithmetic of the benchmark: a wrong percentile would meet every target."""

import pytest

from tests.programs.bench.distribution import Distribution, late_beats
from tests.programs.bench.figures import Figure, Target, table


def late(arrivals: list[float]) -> list[float]:
    """The lateness of beats that are due each second."""
    return [round(beat.late_seconds, 6) for beat in late_beats(arrivals, 1.0)]


def test_percentiles_are_measured_values() -> None:
    hundred = Distribution.of([float(number) for number in range(100, 0, -1)])
    assert (hundred.count, hundred.p50, hundred.p95, hundred.p99, hundred.worst) == (100, 50, 95, 99, 100)


def test_one_slow_value_in_few_is_the_high_percentile() -> None:
    assert Distribution.of([1.0, 1.0, 9.0]).p99 == 9


def test_beats_on_time_are_not_late() -> None:
    assert late([5.0, 6.0, 7.0]) == [0, 0, 0]


def test_a_late_beat_shifts_no_later_one() -> None:
    assert late([0.0, 1.3, 2.0]) == [0, 0.3, 0]


def test_a_first_beat_that_was_late_makes_no_later_one_look_early() -> None:
    assert late([0.4, 1.0, 2.1]) == [0, 0, 0.1]


def test_a_steady_delay_is_late_at_every_beat() -> None:
    assert late([0.0, 1.2, 2.2, 3.2]) == [0, 0.2, 0.2, 0.2]


def test_a_silence_counts_for_every_beat_that_did_not_come() -> None:
    # The second beat at 5.5 is how the heartbeat goes on after it was late: at once, then on the new beat.
    assert late([0.0, 1.0, 5.5, 5.5, 6.5]) == [0, 0, 3.5, 2.5, 1.5, 0.5, 0, 0]


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [
        (15.0, Target(15), True),
        (15.1, Target(15), False),
        (60.0, Target(60, at_least=True), True),
        (59.9, Target(60, at_least=True), False),
        (1.0, None, None),
    ],
)
def test_a_bound_itself_meets_the_target(value: float, target: Target | None, met: bool | None) -> None:
    assert Figure("figure", value, "ms", target).met is met


def test_the_table_shouts_what_is_missed() -> None:
    text = table([Figure("throughput", 59.9, "jobs/s", Target(60, at_least=True))])
    assert text.splitlines()[-1].split() == ["throughput", "59.90", "jobs/s", "≥", "60", "jobs/s", "NO"]
