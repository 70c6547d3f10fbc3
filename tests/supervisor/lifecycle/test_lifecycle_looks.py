"""When a look counts, to the moment, and when the next one is due."""

from dataclasses import replace

import pytest

from supervisor.lifecycle.stall import StallWatch, looked, ticked, watch_from

THRESHOLD = 4.0  # so that a tick is due each second


@pytest.mark.parametrize(("late", "counted"), [(0.0, 1.0), (0.5, 1.0), (0.51, 0.0)])
def test_a_look_counts_when_it_is_late_by_no_more_than_half_the_time_between_two(
    late: float, counted: float
) -> None:
    watch, _ = looked(watch_from(0.0, THRESHOLD), 1.0 + late, unread=False)
    assert watch.counted_seconds == counted


def test_how_late_a_look_may_be_grows_with_the_time_between_two() -> None:
    for late, counted in ((0.24, 0.5), (0.26, 0.0)):
        watch, _ = looked(watch_from(0.0, THRESHOLD / 2), 0.5 + late, unread=False)
        assert watch.counted_seconds == counted


@pytest.mark.parametrize("threshold", [THRESHOLD, THRESHOLD / 2])
def test_a_silence_worth_telling_is_two_ticks_of_its_own_threshold(threshold: float) -> None:
    watch = StallWatch(threshold, counted_to=10.0, due_at=20.0, counted_seconds=threshold / 2)
    assert watch.telling_at(10.0) == threshold / 2
    assert replace(watch, counted_seconds=threshold / 2 - 0.01).telling_at(10.0) is None


def test_what_counts_begins_anew_after_a_look_that_does_not() -> None:
    watch, _ = looked(watch_from(0.0, THRESHOLD), 1.0, unread=True)
    assert (watch.counted_to, watch.counted_seconds) == (1.0, 0.0)
    watch, _ = looked(watch, 2.0, unread=False)
    assert watch.counted_seconds == 1.0


def test_a_look_that_does_not_count_takes_back_nothing() -> None:
    watch, _ = looked(watch_from(0.0, THRESHOLD), 1.0, unread=False)
    watch, _ = looked(watch, 2.0, unread=True)
    assert watch.counted_seconds == 1.0


def test_a_loop_is_flagged_at_its_threshold_and_not_before() -> None:
    nearly = StallWatch(THRESHOLD, counted_to=10.0, due_at=10.5, counted_seconds=3.25)
    assert looked(nearly, 10.5, unread=False)[1] is False
    assert looked(replace(nearly, due_at=10.75), 10.75, unread=False)[1] is True


def test_a_loop_stays_flagged_and_is_told_once() -> None:
    stalled = StallWatch(THRESHOLD, counted_to=10.0, due_at=11.0, counted_seconds=3.0)
    watch, told = looked(stalled, 11.0, unread=False)
    assert (watch.flagged, told) == (True, True)
    watch, told = looked(watch, 12.0, unread=False)
    assert (watch.flagged, told) == (True, False)
    watch, told = looked(watch, 12.5, unread=True)
    assert (watch.flagged, told) == (True, False)


def test_a_tick_begins_a_silence_anew() -> None:
    flagged = StallWatch(THRESHOLD, counted_to=10.0, due_at=11.0, counted_seconds=5.0, flagged=True)
    watch, seconds = ticked(flagged, 10.25)
    assert seconds == 5.25
    assert watch == StallWatch(THRESHOLD, counted_to=10.25, due_at=11.0)


@pytest.mark.parametrize(
    ("counted", "due_in"),
    [
        (0.0, 1.0),
        (1.0, 1.0),
        (2.5, 0.5),  # just in time for the threshold
        (2.99, 0.125),  # but never at once: a look takes a turn of the loop
        (3.5, 1.0),  # already over it
        (3.0, 1.0),
    ],
)
def test_the_next_look_is_due_with_the_next_tick_or_in_time_for_the_threshold(
    counted: float, due_in: float
) -> None:
    watch = StallWatch(THRESHOLD, counted_to=10.0, due_at=11.0, counted_seconds=counted)
    assert looked(watch, 11.0, unread=False)[0].due_at == pytest.approx(11.0 + due_in)


def test_silence_is_certain_for_one_tick_only() -> None:
    watch = StallWatch(THRESHOLD, counted_to=10.0, due_at=11.0, counted_seconds=2.0)
    assert [watch.silent_at(at) for at in (9.0, 10.0, 10.5, 11.0, 99.0)] == [2.0, 2.0, 2.5, 3.0, 3.0]


def test_a_silence_of_two_ticks_is_worth_telling_and_a_shorter_one_is_not() -> None:
    watch = StallWatch(THRESHOLD, counted_to=10.0, due_at=11.0, counted_seconds=1.5)
    assert (watch.telling_at(10.49), watch.telling_at(10.5)) == (None, 2.0)
