"""The stall watch, look by look: silence counts, the supervisor's own lateness and unread ticks do not."""

import pytest

from jobrunner.protocol.ticks import tick_seconds
from supervisor.lifecycle.events import (
    Begun,
    ChannelChecked,
    ChannelEnded,
    CheckChannel,
    ChildExited,
    JobCommand,
    JobEvent,
    OutcomeArrived,
    SetTimer,
    StackTaken,
    TakeStack,
    TellResumed,
    TellStalled,
    Ticked,
    Timer,
    TimerFired,
    TreeCleared,
)
from supervisor.lifecycle.job import JobState, Phase, step
from supervisor.lifecycle.stall import StallWatch, looked, ticked, watch_from
from supervisor.verdict import ExitStatus, LimitKind, Limits, OutcomeSeen

THRESHOLD = 4.0  # so that a tick is due each second


def look_in_time(watch: StallWatch, looks: int, *, unread: bool = False) -> tuple[StallWatch, list[float]]:
    """Look whenever it is due; return the times at which the loop was flagged."""
    flagged = []
    for _ in range(looks):
        at = watch.due_at
        watch, now = looked(watch, at, unread=unread)
        flagged += [at] if now else []
    return watch, flagged


def test_a_silent_loop_is_flagged_at_its_threshold_and_only_once() -> None:
    watch, flagged = look_in_time(watch_from(100.0, THRESHOLD), 20)
    assert flagged == [104.0]
    assert watch.silent_at(watch.counted_to) == 20


def test_a_tick_ends_the_silence_and_the_next_one_is_flagged_anew() -> None:
    watch, _ = look_in_time(watch_from(0.0, THRESHOLD), 6)
    watch, stalled_seconds = ticked(watch, 6.5)
    assert stalled_seconds == 6.5
    assert ticked(watch, 7.0)[1] is None
    assert look_in_time(watch, 6)[1] == [10.5]


def test_a_loop_that_ticks_is_never_flagged() -> None:
    watch = watch_from(0.0, THRESHOLD)
    for second in range(1, 100):
        watch, flagged = looked(watch, watch.due_at, unread=False)
        assert not flagged
        watch, told = ticked(watch, second + 0.5)
        assert told is None


def test_a_look_that_comes_late_counts_nothing() -> None:
    watch, flagged = looked(watch_from(0.0, THRESHOLD), 60.0, unread=False)
    assert (flagged, watch.counted_seconds) == (False, 0.0)


def test_a_look_that_finds_something_unread_counts_nothing() -> None:
    watch, flagged = look_in_time(watch_from(0.0, THRESHOLD), 100, unread=True)
    assert (flagged, watch.counted_seconds) == ([], 0.0)


def test_a_look_that_comes_a_little_late_counts_no_more_than_its_pause() -> None:
    watch, _ = looked(watch_from(0.0, THRESHOLD), 1.4, unread=False)
    assert watch.counted_seconds == 1.0


def test_a_silence_nobody_looked_at_is_told_as_one_tick_at_most() -> None:
    assert watch_from(0.0, THRESHOLD).silent_at(3600.0) == 1.0


def test_a_loop_that_sleeps_is_not_flagged_for_as_long_as_its_thread_does_not_run() -> None:
    watch, _ = ticked(watch_from(0.0, THRESHOLD), 0.5, sleeps=True)
    for _ in range(50):
        watch, flagged = looked(watch, watch.due_at, unread=False, slept=True)
        assert (flagged, watch.counted_seconds) == (False, 0.0)
    assert look_in_time(watch, 8)[1] == [pytest.approx(watch.counted_to + THRESHOLD, abs=1.0)]


def test_a_loop_that_has_not_said_so_is_not_taken_for_asleep() -> None:
    watch, _ = ticked(watch_from(0.0, THRESHOLD), 0.0)
    for _ in range(4):
        watch, flagged = looked(watch, watch.due_at, unread=False, slept=True)
    assert flagged


def test_a_loop_that_was_woken_once_and_sleeps_again_is_not_flagged() -> None:
    """A signal that asks for its stack wakes its thread, and it does not tick."""
    watch, _ = ticked(watch_from(0.0, THRESHOLD), 0.0, sleeps=True)
    for number in range(50):
        watch, flagged = looked(watch, watch.due_at, unread=False, slept=number % 2 == 0)
        assert not flagged


def test_loops_that_sleep_are_looked_at_at_common_times_and_less_often_than_they_would_tick() -> None:
    times = set()
    for number in range(200):
        watch, _ = ticked(watch_from(number / 100, 10.0), number / 100, sleeps=True)
        seen, _ = looked(watch, watch.due_at, unread=False, slept=True)
        assert 2.5 <= seen.due_at - watch.due_at <= 2.9
        times.add(seen.due_at)
    assert len(times) <= 8


@pytest.mark.parametrize(("silent", "telling"), [(1.9, None), (2.5, 2.5)])
def test_a_silence_is_worth_telling_when_two_ticks_are_missing(silent: float, telling: float | None) -> None:
    watch, _ = look_in_time(watch_from(0.0, THRESHOLD), int(silent))
    assert watch.telling_at(silent) == telling


@pytest.mark.parametrize(("threshold", "seconds"), [(10, 1.0), (4, 1.0), (1, 0.25), (0.001, 0.02)])
def test_a_loop_ticks_once_a_second_and_more_often_for_a_short_threshold(
    threshold: float, seconds: float
) -> None:
    assert tick_seconds(threshold) == seconds


LIMITS = Limits(max_seconds=60, grace_seconds=2, stall_seconds=THRESHOLD)
KILLING = Limits(max_seconds=60, grace_seconds=2, stall_seconds=THRESHOLD, kill_stalled=True)
LOOKS = [ChannelChecked(float(second), unread=False) for second in (1, 2, 3, 4)]


def live(limits: Limits, *events: JobEvent) -> tuple[JobState, tuple[JobCommand, ...]]:
    state, commands = step(JobState(limits), Begun(0))
    for event in events:
        state, commands = step(state, event)
    return state, commands


def test_a_job_whose_loop_is_watched_is_looked_at_and_another_is_not() -> None:
    assert SetTimer(Timer.LOOK, 1.0) in live(LIMITS)[1]
    assert live(LIMITS, TimerFired(1, Timer.LOOK))[1] == (CheckChannel(),)
    unwatched = Limits(max_seconds=60, grace_seconds=2)
    assert live(unwatched)[1] == (SetTimer(Timer.DEADLINE, 60),)
    assert live(unwatched, TimerFired(1, Timer.LOOK), Ticked(2), ChannelChecked(3, unread=False))[1] == ()


def test_a_stall_is_told_and_the_job_goes_on() -> None:
    state, commands = live(LIMITS, *LOOKS)
    assert (state.phase, state.limit) == (Phase.RUNNING, None)
    assert commands == (TellStalled(4.0), SetTimer(Timer.LOOK, 5.0))
    state, commands = step(state, Ticked(4.5))
    assert commands == (TellResumed(4.5),)


def test_a_stall_ends_the_job_without_a_grace_where_that_is_wanted() -> None:
    state, commands = live(KILLING, *LOOKS)
    assert state.phase is Phase.DUMPING
    assert TakeStack() in commands
    assert state.limit is not None
    assert (state.limit.kind, state.limits.of(state.limit.kind), state.limit.measured) == (
        LimitKind.STALL,
        4.0,
        4.0,
    )


def test_a_stall_during_the_grace_neither_tells_nor_replaces_the_time_limit() -> None:
    limits = Limits(max_seconds=0.5, grace_seconds=60, stall_seconds=THRESHOLD, kill_stalled=True)
    state, commands = live(limits, TimerFired(0.5, Timer.DEADLINE), *LOOKS)
    assert state.phase is Phase.CANCELLING
    assert state.limit is not None
    assert state.limit.kind is LimitKind.TIME
    assert commands == (SetTimer(Timer.LOOK, 5.0),)


def test_the_silence_of_the_end_is_that_before_the_signal_that_asks_for_the_stack() -> None:
    limits = Limits(max_seconds=4.5, grace_seconds=0, stall_seconds=THRESHOLD)
    state, _ = live(
        limits,
        *LOOKS,
        TimerFired(4.5, Timer.DEADLINE),
        Ticked(4.51),
        StackTaken(4.52, "where"),
        ChannelEnded(4.6),
        ChildExited(4.6, ExitStatus(signal_name="SIGKILL")),
    )
    assert state.ending(4.6).silent_seconds == 4.5


def test_a_tick_that_is_read_only_after_the_end_takes_the_silence_back() -> None:
    exited = ChildExited(4.5, ExitStatus(signal_name="SIGSEGV"))
    state, _ = live(LIMITS, *LOOKS, exited, TreeCleared(4.6))
    assert state.ending(4.6).silent_seconds == 4.5
    assert step(state, Ticked(4.7))[0].ending(4.7).silent_seconds is None


def test_after_the_outcome_or_without_a_channel_the_loop_is_not_watched() -> None:
    for event in (OutcomeArrived(0.5, OutcomeSeen(success=True, message="")), ChannelEnded(0.5)):
        state, commands = live(KILLING, event, *LOOKS)
        assert (state.limit, state.ending(9).silent_seconds, commands) == (None, None, ())
