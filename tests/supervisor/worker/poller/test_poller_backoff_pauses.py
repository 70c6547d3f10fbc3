"""How long each pause is, where chance always takes the same side."""

import random

import pytest

from supervisor.engine.backoff import LONGEST_RETRY_AFTER_SECONDS, Backoff, is_retryable


class Chance(random.Random):
    """Falls on the lowest number, or on the highest."""

    def __init__(self, *, high: bool) -> None:
        super().__init__()
        self.high = high

    def uniform(self, a: float, b: float) -> float:
        return max(a, b) if self.high else min(a, b)


LOW, HIGH = Chance(high=False), Chance(high=True)


def pauses(rng: Chance, count: int, **options: float) -> list[float]:
    backoff = Backoff(rng=rng, **options)
    return [backoff.next_pause() for _ in range(count)]


def test_without_options_pauses_double_from_half_a_second_to_half_a_minute() -> None:
    assert pauses(HIGH, 9) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_the_shortest_pause_is_a_tenth_of_the_longest() -> None:
    assert pauses(LOW, 3, first_seconds=1.0, longest_seconds=100.0) == [0.1, 0.2, 0.4]


def test_a_pause_stops_growing_after_twenty_doublings() -> None:
    """An engine that is away for a month must not make a number that no float can hold."""
    assert pauses(HIGH, 2000, first_seconds=1.0, longest_seconds=float("inf"))[-1] == 2**20


def test_each_failure_is_counted_once_and_a_success_forgets_them() -> None:
    backoff = Backoff()
    assert backoff.failures == 0
    backoff.next_pause()
    backoff.next_pause()
    assert backoff.failures == 2
    backoff.reset()
    assert backoff.failures == 0


@pytest.mark.parametrize(
    ("rng", "wanted", "pause"),
    [
        (LOW, 7.0, 7.0),
        (HIGH, 7.0, 14.0),
        (HIGH, 60.0, 90.0),
        (LOW, 1e9, LONGEST_RETRY_AFTER_SECONDS),
        (HIGH, 1e9, LONGEST_RETRY_AFTER_SECONDS + 30),
        (HIGH, 0.1, 0.5),
        (HIGH, 0.0, 0.5),
        (HIGH, None, 0.5),
    ],
)
def test_a_wish_of_the_engine_is_the_least_and_is_spread_by_at_most_the_longest_pause(
    rng: Chance, wanted: float | None, pause: float
) -> None:
    assert Backoff(rng=rng).next_pause(wanted) == pause


def test_a_wish_is_granted_up_to_two_minutes() -> None:
    assert Backoff(rng=LOW).next_pause(120.0) == 120.0
    assert Backoff(rng=LOW).next_pause(121.0) == 120.0


@pytest.mark.parametrize("status", [None, 300, 302, 399, 408, 425, 429, 500, 503, 599])
def test_what_may_pass_by_itself_is_worth_another_try(status: int | None) -> None:
    assert is_retryable(status) is True


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 499])
def test_a_clear_answer_is_not_worth_another_try(status: int) -> None:
    assert is_retryable(status) is False
