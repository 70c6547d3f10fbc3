"""Every row of a job's life: what each event leads to in each phase."""

from dataclasses import replace

import pytest

from supervisor.lifecycle.durations import (
    CLOSED_CHANNEL_SECONDS,
    DRAIN_SECONDS,
    FREEZE_SECONDS,
    LINGER_SECONDS,
    STACK_SECONDS,
    UNKILLABLE_SECONDS,
)
from supervisor.lifecycle.events import (
    Begun,
    CancelDemanded,
    ChannelEnded,
    ChildExited,
    ClearTree,
    Conclude,
    CpuMeasured,
    FreezeTree,
    JobCommand,
    JobEvent,
    KillChild,
    MemoryMeasured,
    OutcomeArrived,
    ProcessesCounted,
    SendCancel,
    SetTimer,
    StackTaken,
    StopDemanded,
    TakeStack,
    Timer,
    TimerFired,
    TreeCleared,
)
from supervisor.lifecycle.job import JobState, Phase, step
from supervisor.verdict import Ending, ExitStatus, LimitHit, LimitKind, Limits, OutcomeSeen, OutOfMemory

LIMITS = Limits(max_seconds=10, grace_seconds=2, memory_mb=100)
SUCCESS = OutcomeSeen(success=True, message="done")
FAILURE = OutcomeSeen(success=False, message="no")
EXIT_0 = ExitStatus(code=0)
SIGKILL = ExitStatus(signal_name="SIGKILL")


def live(*events: JobEvent, limits: Limits = LIMITS) -> tuple[JobState, tuple[JobCommand, ...]]:
    """Feed events after the order at time 0; return the state and the commands of the last one."""
    state, commands = step(JobState(limits), Begun(0))
    for event in events:
        state, commands = step(state, event)
    return state, commands


def conclusion(*events: JobEvent, limits: Limits = LIMITS) -> Ending:
    state, commands = live(*events, limits=limits)
    assert state.phase is Phase.ENDED
    (command,) = commands
    assert isinstance(command, Conclude)
    return state.ending(command.at)


DEADLINE = TimerFired(10, Timer.DEADLINE)
GRACE = TimerFired(12, Timer.GRACE)
OUTCOME = OutcomeArrived(1, SUCCESS)


def test_an_order_starts_the_clock() -> None:
    state, commands = live()
    assert state.phase is Phase.RUNNING
    assert commands == (SetTimer(Timer.DEADLINE, 10),)


def test_the_clock_starts_at_the_order_and_not_at_zero() -> None:
    _, commands = step(JobState(LIMITS), Begun(100))
    assert commands == (SetTimer(Timer.DEADLINE, 110),)


def test_a_child_that_ends_before_its_job_begins_has_run_nothing_of_it_and_took_no_time() -> None:
    state, commands = step(JobState(LIMITS), ChildExited(107, SIGKILL))
    assert (state.phase, commands) == (Phase.CLEARING, (ClearTree(),))
    assert step(state, Begun(107)) == (state, ())
    for event in (OutcomeArrived(107, SUCCESS), TreeCleared(108), ChannelEnded(109)):
        state, _ = step(state, event)
    ending = state.ending(109)
    assert (state.phase, ending.not_begun, ending.usage.elapsed_seconds) == (Phase.ENDED, True, 0)
    assert not conclusion(ChildExited(3, SIGKILL), TreeCleared(4), ChannelEnded(4)).not_begun


def test_an_outcome_is_followed_by_a_bounded_wait_for_the_end_of_the_child() -> None:
    state, commands = live(OUTCOME)
    assert (state.phase, state.outcome) == (Phase.LINGERING, SUCCESS)
    assert commands == (SetTimer(Timer.LINGER, 1 + LINGER_SECONDS),)


def test_a_child_that_lingers_after_its_outcome_is_killed_and_its_stack_says_where_it_lingered() -> None:
    state, commands = live(OUTCOME, TimerFired(3, Timer.LINGER))
    assert (state.phase, state.lingered, state.killed) == (Phase.DUMPING, True, False)
    assert commands == (SetTimer(Timer.STACK, 3 + STACK_SECONDS), TakeStack())
    state, commands = step(state, StackTaken(3.01, "where"))
    assert (state.phase, state.stack, state.killed) == (Phase.DYING, "where", True)
    assert commands == (KillChild(), SetTimer(Timer.UNKILLABLE, 3.01 + UNKILLABLE_SECONDS))


def test_the_time_limit_cancels_first() -> None:
    state, (cancel, timer) = live(DEADLINE)
    assert state.phase is Phase.CANCELLING
    assert state.limit is not None
    assert (state.limit.kind, state.limits.of(state.limit.kind), state.limit.measured) == (
        LimitKind.TIME,
        10,
        10,
    )
    assert isinstance(cancel, SendCancel)
    assert "10 s" in cancel.reason
    assert timer == SetTimer(Timer.GRACE, 12)


def test_without_grace_the_time_limit_takes_the_stack_at_once() -> None:
    state, commands = live(DEADLINE, limits=Limits(10, 0))
    assert state.phase is Phase.DUMPING
    assert commands == (SetTimer(Timer.STACK, 10 + STACK_SECONDS), TakeStack())


def test_after_the_grace_the_stack_is_taken_before_the_kill() -> None:
    state, commands = live(DEADLINE, GRACE)
    assert state.phase is Phase.DUMPING
    assert commands == (SetTimer(Timer.STACK, 12 + STACK_SECONDS), TakeStack())


@pytest.mark.parametrize("event", [StackTaken(12.01, "where"), TimerFired(12.25, Timer.STACK)])
def test_the_kill_follows_the_stack_or_its_time_out(event: JobEvent) -> None:
    state, commands = live(DEADLINE, GRACE, event)
    assert state.phase is Phase.DYING
    assert commands == (KillChild(), SetTimer(Timer.UNKILLABLE, event.at + UNKILLABLE_SECONDS))


def test_the_memory_limit_kills_without_a_grace() -> None:
    state, commands = live(MemoryMeasured(3, 100.1))
    assert state.phase is Phase.DUMPING
    assert state.limit is not None
    assert (state.limit.kind, state.limits.of(state.limit.kind), state.limit.measured) == (
        LimitKind.MEMORY,
        100,
        100.1,
    )
    assert TakeStack() in commands


def test_a_job_is_ended_as_a_whole_when_the_kernel_has_ended_one_of_its_processes_at_its_limit() -> None:
    state, commands = live(MemoryMeasured(3, 20, at_limit=True))
    assert state.limit is not None
    assert (state.limit.kind, state.limits.of(state.limit.kind), state.limit.measured) == (
        LimitKind.MEMORY,
        100,
        100,
    )
    assert TakeStack() in commands


@pytest.mark.parametrize("limits", [LIMITS, Limits(10, 2)])
def test_memory_within_the_limit_or_without_one_is_only_remembered(limits: Limits) -> None:
    state, commands = live(MemoryMeasured(3, 60), MemoryMeasured(4, 50), limits=limits)
    assert (state.phase, state.peak_memory_mb, commands) == (Phase.RUNNING, 60, ())


OF_CPU = replace(LIMITS, cpu_seconds=5)


def test_the_cpu_limit_cancels_and_has_the_stack_show_what_used_the_time() -> None:
    state, (stack, cancel, timer) = live(CpuMeasured(3, 5.25), limits=OF_CPU)
    assert state.phase is Phase.CANCELLING
    assert state.limit is not None
    assert (state.limit.kind, state.limits.of(state.limit.kind), state.limit.measured) == (
        LimitKind.CPU,
        5,
        5.25,
    )
    assert stack == TakeStack()
    assert isinstance(cancel, SendCancel)
    assert "CPU limit of 5 s" in cancel.reason
    assert timer == SetTimer(Timer.GRACE, 5)
    state, commands = step(state, StackTaken(3.01, "where it was"))
    assert (state.phase, state.stack, commands) == (Phase.CANCELLING, "where it was", ())
    state, commands = step(state, TimerFired(5, Timer.GRACE))
    assert state.phase is Phase.DUMPING
    assert commands == (SetTimer(Timer.STACK, 5 + STACK_SECONDS), TakeStack())


def test_without_grace_the_cpu_limit_takes_the_stack_once_and_kills() -> None:
    state, commands = live(CpuMeasured(3, 5.25), limits=replace(OF_CPU, grace_seconds=0))
    assert state.phase is Phase.DUMPING
    assert commands == (SetTimer(Timer.STACK, 3 + STACK_SECONDS), TakeStack())


@pytest.mark.parametrize(
    ("events", "limits"),
    [
        ((CpuMeasured(3, 5.0),), OF_CPU),
        ((CpuMeasured(3, 5000.0),), LIMITS),
        ((OUTCOME, CpuMeasured(3, 5.25)), OF_CPU),
    ],
)
def test_at_the_cpu_limit_without_one_and_after_the_outcome_cpu_time_is_only_remembered(
    events: tuple[JobEvent, ...], limits: Limits
) -> None:
    state, _ = live(*events, limits=limits)
    assert state.limit is None
    assert state.cpu_seconds is not None
    assert state.cpu_seconds >= 5


def test_cpu_time_that_the_child_has_not_waited_for_is_in_the_usage_and_so_is_what_came_after_the_last_look() -> (
    None
):
    def used(told: float | None) -> float | None:
        events = (CpuMeasured(1, 3.0), ChannelEnded(2), ChildExited(2, EXIT_0))
        return conclusion(*events, TreeCleared(2.1, cpu_seconds=told)).usage.cpu_seconds

    assert (used(0.5), used(3.5), used(None)) == (3.0, 3.5, 3.0)


def test_too_many_processes_are_frozen_before_anything_else() -> None:
    limits = replace(LIMITS, processes=10)
    state, commands = live(ProcessesCounted(3, 11), limits=limits)
    assert commands == (SetTimer(Timer.STACK, 3 + FREEZE_SECONDS), FreezeTree())
    assert state.limit is not None
    assert (state.limit.kind, state.limit.measured) == (LimitKind.PROCESSES, 11)
    assert live(ProcessesCounted(3, 10), limits=limits)[1] == ()
    assert live(ProcessesCounted(3, 9999))[1] == ()


def test_too_many_processes_after_the_outcome_end_the_child_and_leave_the_result() -> None:
    limits = replace(LIMITS, processes=10)
    state, commands = live(OutcomeArrived(2, SUCCESS), ProcessesCounted(3, 11), limits=limits)
    assert commands[0] == KillChild()
    assert state.limit is None


def test_a_cancelled_job_may_clean_up_and_is_killed_after_its_grace() -> None:
    state, commands = live(CancelDemanded(5))
    assert state.phase is Phase.CANCELLING
    assert state.limit == LimitHit(LimitKind.CANCELLED, 5)
    assert commands == (
        SendCancel("an operator cancelled the job"),
        SetTimer(Timer.GRACE, 5 + LIMITS.grace_seconds),
    )
    state, commands = step(state, TimerFired(5 + LIMITS.grace_seconds, Timer.GRACE))
    assert (state.phase, TakeStack() in commands) == (Phase.DUMPING, True)


def test_a_job_that_is_cancelled_before_its_order_ends_as_soon_as_it_starts() -> None:
    state, commands = step(JobState(LIMITS), CancelDemanded(1))
    assert commands == ()
    state, commands = step(state, Begun(2))
    assert (state.phase, TakeStack() in commands) == (Phase.DUMPING, True)
    assert state.limit == LimitHit(LimitKind.CANCELLED, 0)


def test_who_cancels_a_job_that_ends_already_changes_nothing() -> None:
    for before in ((DEADLINE,), (DEADLINE, GRACE), (OUTCOME,), (StopDemanded(3),)):
        state, _ = live(*before)
        assert step(state, CancelDemanded(20)) == (state, ()), before


def test_a_cancelled_job_that_reaches_its_time_limit_while_it_cleans_up_stays_cancelled() -> None:
    state, _ = live(CancelDemanded(9))
    assert step(state, DEADLINE) == (state, ())


def test_a_shutdown_takes_the_stack_and_kills() -> None:
    state, commands = live(StopDemanded(5))
    assert state.phase is Phase.DUMPING
    assert state.limit is not None
    assert state.limit.kind is LimitKind.STOPPING
    assert TakeStack() in commands


def test_a_shutdown_during_the_grace_ends_it_and_the_time_limit_stays_the_cause() -> None:
    state, _ = live(DEADLINE, StopDemanded(11))
    assert state.phase is Phase.DUMPING
    assert state.limit is not None
    assert state.limit.kind is LimitKind.TIME


def test_a_shutdown_before_the_order_ends_the_job_as_soon_as_it_starts() -> None:
    state, commands = step(JobState(LIMITS), StopDemanded(1))
    assert commands == ()
    state, commands = step(state, Begun(2))
    assert state.phase is Phase.DUMPING
    assert TakeStack() in commands
    assert state.limit is not None
    assert state.limit.kind is LimitKind.STOPPING


def test_a_shutdown_after_the_outcome_changes_nothing() -> None:
    state, commands = live(OUTCOME, StopDemanded(2))
    assert (state.phase, state.limit, commands) == (Phase.LINGERING, None, ())


@pytest.mark.parametrize(
    "before",
    [(), (DEADLINE,), (DEADLINE, GRACE), (OUTCOME,), (DEADLINE, GRACE, StackTaken(12, ""))],
    ids=["running", "cancelling", "dumping", "lingering", "dying"],
)
def test_the_end_of_the_child_always_clears_its_tree(before: tuple[JobEvent, ...]) -> None:
    state, commands = live(*before, ChildExited(13, SIGKILL))
    assert (state.phase, state.exit_status, state.ended_at) == (Phase.CLEARING, SIGKILL, 13)
    assert commands == (ClearTree(),)


def test_the_verdict_waits_for_the_tree_and_then_for_the_channel() -> None:
    state, commands = live(OUTCOME, ChildExited(2, EXIT_0), TreeCleared(2.1))
    assert state.phase is Phase.DRAINING
    assert commands == (SetTimer(Timer.DRAIN, 2.1 + DRAIN_SECONDS),)


@pytest.mark.parametrize("event", [ChannelEnded(2.2), TimerFired(3.1, Timer.DRAIN)])
def test_the_end_of_the_channel_or_its_time_out_concludes(event: JobEvent) -> None:
    ending = conclusion(OUTCOME, ChildExited(2, EXIT_0), TreeCleared(2.1), event)
    assert (ending.outcome, ending.exit_status, ending.usage.elapsed_seconds) == (SUCCESS, EXIT_0, 2)


def test_a_channel_that_has_ended_already_concludes_with_the_tree() -> None:
    assert conclusion(OUTCOME, ChannelEnded(1.5), ChildExited(2, EXIT_0), TreeCleared(2.1)).outcome is SUCCESS


def test_an_outcome_that_was_still_in_the_channel_counts() -> None:
    """The child's end may be seen before the outcome that it sent last was read."""
    events = (ChildExited(2, EXIT_0), TreeCleared(2.1), OutcomeArrived(2.2, SUCCESS), ChannelEnded(2.3))
    assert conclusion(*events).outcome is SUCCESS


def test_what_the_tree_took_goes_into_the_evidence() -> None:
    cleared = TreeCleared(2.1, killed=2, remaining=1, peak_memory_mb=70, cpu_seconds=0.5)
    ending = conclusion(MemoryMeasured(1, 60), ChannelEnded(1.9), ChildExited(2, EXIT_0), cleared)
    assert (ending.leftover_processes, ending.usage.peak_memory_mb, ending.usage.cpu_seconds) == (3, 70, 0.5)


def test_what_the_kernel_says_of_memory_goes_into_the_evidence() -> None:
    oom = OutOfMemory(1, 256)
    ending = conclusion(ChannelEnded(1.9), ChildExited(2, EXIT_0), TreeCleared(2.1, out_of_memory=oom))
    assert ending.out_of_memory is oom


def test_the_highest_sample_counts_where_the_kernel_saw_less() -> None:
    cleared = TreeCleared(2.1, peak_memory_mb=40)
    ending = conclusion(MemoryMeasured(1, 60), ChannelEnded(1.9), ChildExited(2, EXIT_0), cleared)
    assert ending.usage.peak_memory_mb == 60


def test_a_channel_that_ends_before_the_child_gives_the_child_a_moment() -> None:
    state, commands = live(ChannelEnded(4))
    assert state.phase is Phase.RUNNING
    assert commands == (SetTimer(Timer.CLOSED_CHANNEL, 4 + CLOSED_CHANNEL_SECONDS),)


def test_a_child_that_lives_on_without_its_channel_is_killed() -> None:
    state, commands = live(ChannelEnded(4), TimerFired(4.5, Timer.CLOSED_CHANNEL))
    assert (state.phase, state.channel_closed) == (Phase.DUMPING, True)
    assert TakeStack() in commands


def test_a_channel_with_something_that_is_no_frame_is_the_end_of_the_job() -> None:
    state, commands = live(ChannelEnded(4, "no frame"))
    assert (state.phase, state.channel_problem) == (Phase.DUMPING, "no frame")
    assert TakeStack() in commands


def test_rubbish_after_a_complete_outcome_changes_nothing() -> None:
    state, commands = live(OUTCOME, ChannelEnded(2, "no frame"))
    assert (state.phase, state.channel_problem, commands) == (Phase.LINGERING, None, ())


def test_of_two_outcomes_the_first_counts() -> None:
    state, commands = live(OUTCOME, OutcomeArrived(1.1, FAILURE))
    assert (state.outcome, commands) == (SUCCESS, ())


def test_an_outcome_after_the_time_limit_is_kept_as_evidence_beside_the_limit() -> None:
    late = OutcomeArrived(11, SUCCESS)
    ending = conclusion(DEADLINE, late, ChannelEnded(11), ChildExited(11, EXIT_0), TreeCleared(11))
    assert ending.outcome is SUCCESS
    assert ending.limit is not None
    assert ending.limit.kind is LimitKind.TIME


def test_an_outcome_that_the_dump_s_signal_woke_does_not_stop_the_kill() -> None:
    late = OutcomeArrived(12.01, SUCCESS)
    state, commands = live(DEADLINE, GRACE, late)
    assert (state.phase, commands) == (Phase.DUMPING, ())


def test_a_child_that_can_not_be_killed_is_reported_as_stuck() -> None:
    state, commands = live(DEADLINE, GRACE, StackTaken(12, ""), TimerFired(17, Timer.UNKILLABLE))
    assert state.phase is Phase.ENDED
    (command,) = commands
    assert isinstance(command, Conclude)
    assert command.stuck
    assert state.ending(command.at).unkillable


def test_a_killed_child_that_waits_for_a_processor_is_given_a_minute() -> None:
    """It is not stuck: on a busy machine, a bomb's child waits for a thousand others to end."""
    killed = DEADLINE, GRACE, StackTaken(12, "")
    waits = [TimerFired(17 + 5 * number, Timer.UNKILLABLE, waits_for_processor=True) for number in range(12)]
    for number in range(11):
        state, commands = live(*killed, *waits[: number + 1])
        assert state.phase is Phase.DYING
        assert commands == (SetTimer(Timer.UNKILLABLE, waits[number].at + UNKILLABLE_SECONDS),)
    state, (command,) = live(*killed, *waits)
    assert isinstance(command, Conclude)
    assert command.stuck
    ending = conclusion(*killed, waits[0], ChildExited(18, SIGKILL), ChannelEnded(18), TreeCleared(18))
    assert not ending.unkillable


def test_a_tree_that_can_not_be_killed_is_reported_as_stuck() -> None:
    state, (command,) = live(
        OUTCOME, ChannelEnded(2), ChildExited(2, EXIT_0), TreeCleared(7, killed=1, remaining=2)
    )
    assert isinstance(command, Conclude)
    assert command.stuck
    ending = state.ending(command.at)
    assert (ending.leftover_processes, ending.unkilled_processes) == (3, 2)


def test_nothing_happens_after_the_end() -> None:
    ended, _ = live(OUTCOME, ChannelEnded(2), ChildExited(2, EXIT_0), TreeCleared(2))
    for event in (Begun(3), OUTCOME, ChildExited(3, SIGKILL), TreeCleared(3), StopDemanded(3), DEADLINE):
        assert step(ended, event) == (ended, ())


@pytest.mark.parametrize("timer", list(Timer))
def test_a_timer_of_another_phase_changes_nothing(timer: Timer) -> None:
    clearing, _ = live(OUTCOME, ChildExited(2, EXIT_0))
    assert step(clearing, TimerFired(20, timer)) == (clearing, ())
