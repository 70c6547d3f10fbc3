"""A job that is asked to stop: what it may still do, and what ends it."""

from dataclasses import replace

import pytest

from supervisor.lifecycle.durations import (
    CLOSED_CHANNEL_SECONDS,
    LINGER_SECONDS,
    STACK_SECONDS,
)
from supervisor.lifecycle.events import (
    Begun,
    ChannelChecked,
    ChannelEnded,
    CheckChannel,
    FreezeTree,
    JobCommand,
    JobEvent,
    MemoryMeasured,
    OutcomeArrived,
    ProcessesCounted,
    SetTimer,
    StackTaken,
    StopDemanded,
    TakeStack,
    Timer,
    TimerFired,
)
from supervisor.lifecycle.job import JobState, Phase, step
from supervisor.verdict import LimitKind, Limits, OutcomeSeen, decide

LIMITS = Limits(max_seconds=10, grace_seconds=2, memory_mb=100, processes=10, stall_seconds=4)
SUCCESS = OutcomeSeen(success=True, message="done")


def cancelling(*events: JobEvent, limits: Limits = LIMITS) -> tuple[JobState, tuple[JobCommand, ...]]:
    """Reach the time limit at 10, then feed the events."""
    state, commands = step(JobState(limits), Begun(0))
    for event in (TimerFired(10, Timer.DEADLINE), *events):
        state, commands = step(state, event)
    return state, commands


def kind(state: JobState) -> LimitKind | None:
    return None if state.limit is None else state.limit.kind


def test_its_time_is_counted_from_its_order() -> None:
    state, _ = step(JobState(LIMITS), Begun(100))
    state, _ = step(state, TimerFired(110.5, Timer.DEADLINE))
    assert state.limit is not None
    assert state.limit.measured == 10.5


def test_no_look_is_taken_at_a_job_that_is_being_ended_or_that_nobody_watches() -> None:
    ending, _ = cancelling(TimerFired(12, Timer.GRACE))
    assert ending.phase is Phase.DUMPING
    assert step(ending, TimerFired(12.1, Timer.LOOK))[1] == ()
    unwatched, _ = step(JobState(replace(LIMITS, stall_seconds=None)), Begun(0))
    assert (unwatched.phase, unwatched.stall) == (Phase.RUNNING, None)
    assert step(unwatched, TimerFired(1, Timer.LOOK))[1] == ()


def test_its_outcome_gives_the_child_the_time_to_end_by_itself() -> None:
    """What `finally` blocks have to say is not cut off by the grace."""
    state, commands = cancelling(OutcomeArrived(11, SUCCESS))
    assert (state.phase, kind(state)) == (Phase.LINGERING, LimitKind.TIME)
    assert commands == (SetTimer(Timer.LINGER, 11 + LINGER_SECONDS),)


def test_after_its_outcome_the_end_of_the_grace_changes_nothing() -> None:
    state, commands = cancelling(OutcomeArrived(11, SUCCESS), TimerFired(12, Timer.GRACE))
    assert (state.phase, commands) == (Phase.LINGERING, ())


def test_its_loop_is_looked_at_but_neither_told_of_nor_judged() -> None:
    state, commands = cancelling(TimerFired(10.5, Timer.LOOK))
    assert commands == (CheckChannel(),)
    state, commands = cancelling(
        ChannelChecked(10.5, unread=False), limits=replace(LIMITS, kill_stalled=True)
    )
    assert (state.phase, kind(state)) == (Phase.CANCELLING, LimitKind.TIME)
    assert [command.timer for command in commands if isinstance(command, SetTimer)] == [Timer.LOOK]


def test_memory_over_the_limit_does_not_shorten_the_grace() -> None:
    state, commands = cancelling(MemoryMeasured(11, 500))
    assert (state.phase, kind(state), state.peak_memory_mb, commands) == (
        Phase.CANCELLING,
        LimitKind.TIME,
        500,
        (),
    )


def test_too_many_processes_do_and_the_time_limit_stays_the_cause() -> None:
    state, commands = cancelling(ProcessesCounted(11, 11))
    assert (state.phase, kind(state)) == (Phase.DUMPING, LimitKind.TIME)
    assert FreezeTree() in commands


@pytest.mark.parametrize(
    "cut_off",
    [
        (StopDemanded(11),),
        (ProcessesCounted(11, 11),),
        (ChannelEnded(11, "no frame"),),
        (OutcomeArrived(11, SUCCESS), TimerFired(12, Timer.GRACE), TimerFired(13, Timer.LINGER)),
    ],
    ids=["told to stop", "too many processes", "rubbish", "outcome"],
)
def test_its_message_tells_of_the_time_to_clean_up_only_where_it_had_all_of_it(
    cut_off: tuple[JobEvent, ...],
) -> None:
    def message(*events: JobEvent) -> str:
        state, _ = cancelling(*events, StackTaken(14, "where"))
        assert (state.phase, kind(state)) == (Phase.DYING, LimitKind.TIME)
        return decide(state.ending(15.0)).message

    whole = "It had 2 s to clean up (--grace-seconds), and did not end."
    assert whole in message(TimerFired(12, Timer.GRACE))
    assert "Killed at its time limit" in message(*cut_off)
    assert "to clean up" not in message(*cut_off)


def test_a_channel_that_ends_gives_the_child_a_moment_and_rubbish_none() -> None:
    state, commands = cancelling(ChannelEnded(11))
    assert (state.phase, commands) == (
        Phase.CANCELLING,
        (SetTimer(Timer.CLOSED_CHANNEL, 11 + CLOSED_CHANNEL_SECONDS),),
    )
    state, _ = cancelling(ChannelEnded(11), TimerFired(11.5, Timer.CLOSED_CHANNEL))
    assert (state.phase, state.channel_closed) == (Phase.DUMPING, True)
    state, commands = cancelling(ChannelEnded(11, "no frame"))
    assert (state.phase, commands) == (
        Phase.DUMPING,
        (SetTimer(Timer.STACK, 11 + STACK_SECONDS), TakeStack()),
    )


def test_block_code_may_run_until_the_kill_and_not_after_it() -> None:
    state = JobState(LIMITS)
    assert not state.may_still_run
    state, _ = step(state, Begun(0))
    assert state.may_still_run
    for event, may in (
        (TimerFired(10, Timer.DEADLINE), True),
        (TimerFired(12, Timer.GRACE), True),
        (StackTaken(12, "where"), False),
    ):
        state, _ = step(state, event)
        assert state.may_still_run is may
    assert replace(state, phase=Phase.LINGERING).may_still_run


def test_a_job_that_was_told_to_stop_before_it_began_has_run_for_nothing() -> None:
    state, _ = step(JobState(LIMITS), StopDemanded(7))
    assert state.limit is not None
    assert (state.limits.of(state.limit.kind), state.limit.measured) == (10, 0.0)
    state, commands = step(state, Begun(8))
    assert commands == (SetTimer(Timer.STACK, 8 + STACK_SECONDS), TakeStack())


def test_a_job_that_is_told_to_stop_has_run_since_its_order() -> None:
    state, _ = step(JobState(LIMITS), Begun(100))
    state, _ = step(state, StopDemanded(105))
    assert state.limit is not None
    assert (state.limit.kind, state.limit.measured) == (LimitKind.STOPPING, 5)


def test_a_second_demand_to_stop_changes_nothing() -> None:
    state, _ = step(JobState(LIMITS), Begun(0))
    state, _ = step(state, StopDemanded(5))
    assert step(state, StopDemanded(6)) == (state, ())


def test_a_second_order_changes_nothing() -> None:
    state, _ = step(JobState(LIMITS), Begun(0))
    assert step(state, Begun(6)) == (state, ())
