"""What counts against code, and from when on: the pure parts of the detector."""

from dataclasses import replace

import pytest

from sdk.concurrency.episode import MOST_PLACES, Due, Episodes
from sdk.concurrency.readings import Blocked, Reading, blocked_between

PAUSE = 0.125
START = Reading(at=100.0, cpu=1.0, queued=1.0, turns=50, own_waits=70)


def later(
    seconds: float, *, cpu: float = 0.0, queued: float = 0.0, turns: int = 0, waits: int = 1
) -> Reading:
    """A reading so much later; `waits` is 1 where the detector waited for no GIL."""
    return Reading(100.0 + seconds, 1.0 + cpu, 1.0 + queued, 50 + turns, 70 + waits)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(later(PAUSE), PAUSE, id="it sleeps, or waits for a device"),
        pytest.param(later(PAUSE, cpu=PAUSE, turns=3), PAUSE, id="it computes"),
        pytest.param(later(PAUSE, cpu=0.01, queued=0.115, turns=4), 0.01, id="it waits for a processor"),
        pytest.param(later(2.0, queued=1.9, cpu=0.1, turns=40), 0.1, id="both wait for a processor"),
        pytest.param(later(30.0), PAUSE, id="the process was stopped"),
        pytest.param(later(30.0, cpu=0.02), PAUSE, id="the process was stopped while it computed"),
        pytest.param(
            later(0.2, turns=35, cpu=0.01, waits=20), 0.025, id="it waits for the GIL of other threads"
        ),
        pytest.param(later(0.8, turns=1, waits=130), 0.77, id="it sleeps in C and holds the GIL"),
        pytest.param(later(0.8, cpu=0.8, turns=9, waits=130), 0.8, id="it computes in C and holds the GIL"),
    ],
)
def test_only_time_that_passed_for_the_code_itself_counts(now: Reading, expected: float) -> None:
    assert blocked_between(START, now, PAUSE).seconds == pytest.approx(expected, abs=0.01)


def test_only_a_long_wait_for_the_gil_says_that_it_was_held() -> None:
    assert blocked_between(START, later(0.8, turns=1, waits=130), PAUSE).holding == pytest.approx(0.645)
    assert blocked_between(START, later(0.2, cpu=0.2, waits=8), PAUSE).holding == 0
    behind_others = later(0.8, turns=130, waits=130)
    assert blocked_between(START, behind_others, PAUSE).holding < 0.2


def test_where_the_kernel_tells_nothing_the_time_between_samples_counts() -> None:
    nothing = Reading(at=100.0, cpu=0, queued=0, turns=0, own_waits=70)
    assert blocked_between(nothing, replace(nothing, at=100.1, own_waits=71), PAUSE).seconds == pytest.approx(
        0.1
    )


STEP = Blocked(seconds=PAUSE, holding=0)
HERE = ("block.py", 3)


def samples(
    episodes: Episodes, callback: object, count: int, place: tuple[str, int] = HERE
) -> list[Due | None]:
    """Take so many samples in one callback."""
    return [episodes.seen(callback, place, STEP, float(number)) for number in range(count)]


def test_a_callback_is_due_when_the_threshold_has_passed_since_it_was_first_seen() -> None:
    assert samples(Episodes(0.5), "one", 5) == [None] * 4 + [Due(0.5, 0.0, held_gil=False)]


def test_many_short_callbacks_in_one_turn_of_the_loop_are_never_due() -> None:
    episodes = Episodes(0.5)
    assert not any(due for number in range(9) for due in samples(episodes, number, 3))


def test_time_does_not_count_on_over_an_idle_loop() -> None:
    episodes = Episodes(0.5)
    for _ in range(5):
        assert not any(samples(episodes, "one", 4))
        episodes.idle()


def test_it_stays_due_until_it_was_told_and_is_never_again() -> None:
    episodes = Episodes(0.5)
    assert [bool(due) for due in samples(episodes, "one", 7)] == [False] * 4 + [True] * 3
    episodes.told(HERE)
    assert not any(samples(episodes, "one", 9) + samples(episodes, "two", 9))


def test_another_place_is_due_after_a_threshold_of_its_own() -> None:
    episodes = Episodes(0.5)
    samples(episodes, "one", 5)
    episodes.told(HERE)
    assert not any(samples(episodes, "one", 3))
    dues = samples(episodes, "one", 4, ("block.py", 4))
    assert [bool(due) for due in dues] == [False] * 3 + [True]


def test_what_held_the_gil_before_the_first_sample_counts_in_full() -> None:
    due = Episodes(0.5).seen("one", HERE, Blocked(0.8, 0.7), 5.0)
    assert due == Due(0.7, 5.0, held_gil=True)


def test_so_many_warnings_of_one_job_are_enough() -> None:
    episodes = Episodes(0.5)
    for number in range(MOST_PLACES):
        place = ("block.py", number)
        assert samples(episodes, number, 5, place)[-1]
        episodes.told(place)
    assert not any(samples(episodes, "more", 9, ("block.py", 999)))
