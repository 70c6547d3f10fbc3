"""What a job's life leaves as evidence, in the corners."""

from dataclasses import replace

import pytest

from jobrunner.protocol.masking.mask import Masked
from supervisor.lifecycle.durations import UNKILLABLE_SECONDS
from supervisor.lifecycle.events import (
    Begun,
    ChannelChecked,
    ChannelEnded,
    ChildExited,
    Conclude,
    CpuMeasured,
    JobCommand,
    JobEvent,
    KillChild,
    MemoryMeasured,
    OutcomeArrived,
    ProcessesCounted,
    SendCancel,
    SetTimer,
    StackTaken,
    Ticked,
    Timer,
    TimerFired,
    TreeCleared,
    WatchFailed,
)
from supervisor.lifecycle.job import JobState, Phase, step
from supervisor.verdict import Ending, ExitStatus, LimitKind, Limits, OutcomeSeen, OutOfMemory, Unwatched

LIMITS = Limits(max_seconds=10, grace_seconds=2, memory_mb=100, processes=10)
WATCHED = Limits(max_seconds=60, grace_seconds=2, stall_seconds=4.0)
SUCCESS = OutcomeSeen(success=True, message="done")
EXIT_0 = ExitStatus(code=0)
SILENT = [ChannelChecked(float(second), unread=False) for second in (1, 2, 3)]


def live(*events: JobEvent, limits: Limits = LIMITS) -> tuple[JobState, tuple[JobCommand, ...]]:
    state, commands = step(JobState(limits), Begun(0))
    for event in events:
        state, commands = step(state, event)
    return state, commands


def concluded(*events: JobEvent, limits: Limits = LIMITS) -> Ending:
    state, (command,) = live(*events, limits=limits)
    assert isinstance(command, Conclude)
    return told(state, command)


def told(state: JobState, command: Conclude) -> Ending:
    """The ending, with the texts of the job as if they had no secret."""
    problem = state.channel_problem and Masked(state.channel_problem)
    return state.ending(command.at, stack=Masked(state.stack), channel_problem=problem)


def test_a_shorter_grace_than_a_second_is_a_grace() -> None:
    _, commands = live(TimerFired(10, Timer.DEADLINE), limits=Limits(10, 0.5))
    assert isinstance(commands[0], SendCancel)
    assert commands[1] == SetTimer(Timer.GRACE, 10.5)


def test_a_channel_ends_once() -> None:
    state, _ = live(ChannelEnded(1))
    assert step(state, ChannelEnded(2, "no frame")) == (state, ())


def test_a_child_ends_once() -> None:
    state, _ = live(ChildExited(1, EXIT_0))
    assert step(state, ChildExited(2, ExitStatus(code=7))) == (state, ())


def test_a_tree_is_cleared_once_and_only_after_the_end_of_the_child() -> None:
    running, _ = live()
    assert step(running, TreeCleared(1, killed=3)) == (running, ())
    draining, _ = live(ChildExited(1, EXIT_0), TreeCleared(2, killed=3))
    assert step(draining, TreeCleared(3, killed=9)) == (draining, ())


def test_the_silence_of_a_child_that_has_ended_is_that_of_its_end() -> None:
    """Its channel may be read to the end a while later."""
    before = (*SILENT, ChildExited(3.5, EXIT_0), TreeCleared(3.6))
    assert concluded(*before, ChannelEnded(4.9), limits=WATCHED).silent_seconds == 3.5


def test_a_look_that_was_asked_for_before_the_end_of_the_child_counts_no_more() -> None:
    state, _ = live(*SILENT, ChildExited(3.5, EXIT_0), limits=WATCHED)
    assert step(state, ChannelChecked(4.0, unread=False)) == (state, ())


def test_the_least_memory_is_a_peak() -> None:
    assert live(MemoryMeasured(1, 0.25))[0].peak_memory_mb == 0.25


def test_the_most_processes_that_were_seen_while_it_ran_are_a_peak() -> None:
    assert concluded(ChildExited(3, EXIT_0), TreeCleared(3.1), ChannelEnded(3.2)).usage.peak_processes is None
    counts = (ProcessesCounted(1, 3), ProcessesCounted(2, 7), ProcessesCounted(2.5, 4))
    ending = concluded(*counts, ChildExited(3, EXIT_0), TreeCleared(3.1), ChannelEnded(3.2))
    assert ending.usage.peak_processes == 7


def test_the_silence_of_a_loop_without_a_channel_is_that_of_the_channel_s_end() -> None:
    state, _ = live(*SILENT, ChannelEnded(3.25), Ticked(3.3), limits=WATCHED)
    assert state.ending(3.9).silent_seconds == 3.25


def test_too_many_processes_after_the_outcome_are_told_as_a_child_that_lingered() -> None:
    state, commands = live(OutcomeArrived(1, SUCCESS), ProcessesCounted(2, 11))
    assert (state.phase, state.lingered, state.killed) == (Phase.DYING, True, True)
    assert commands == (KillChild(), SetTimer(Timer.UNKILLABLE, 2 + UNKILLABLE_SECONDS))


@pytest.mark.parametrize("most", [10, 0])
def test_a_job_may_have_as_many_processes_as_its_limit_says(most: int) -> None:
    limits = replace(LIMITS, processes=most)
    assert live(ProcessesCounted(1, most), limits=limits)[1] == ()
    assert live(ProcessesCounted(1, most + 1), limits=limits)[0].phase is Phase.DUMPING


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.DUMPING, Phase.DYING, Phase.CLEARING, Phase.DRAINING])
def test_processes_are_counted_for_nothing_where_the_job_ends_anyway_or_has_not_begun(phase: Phase) -> None:
    state = JobState(LIMITS, phase=phase)
    assert step(state, ProcessesCounted(1, 99)) == (state, ())


@pytest.mark.parametrize("used_mb", [100.0, 100.1])
def test_a_job_may_use_as_much_memory_as_its_limit_says(used_mb: float) -> None:
    state, _ = live(MemoryMeasured(1, used_mb))
    assert state.phase is (Phase.RUNNING if used_mb <= 100 else Phase.DUMPING)


def test_without_a_limit_of_memory_the_kernel_s_word_ends_nothing() -> None:
    state, commands = live(MemoryMeasured(1, 5, at_limit=True), limits=Limits(10, 2))
    assert (state.phase, commands) == (Phase.RUNNING, ())


def test_memory_that_was_never_measured_is_unknown_and_none_is_not_the_same() -> None:
    end = (ChannelEnded(1), ChildExited(1, EXIT_0))
    assert concluded(*end, TreeCleared(1)).usage.peak_memory_mb is None
    assert concluded(*end, TreeCleared(1, peak_memory_mb=5.0)).usage.peak_memory_mb == 5.0


def test_the_usage_names_the_limits_of_the_job() -> None:
    ending = concluded(ChannelEnded(1), ChildExited(1.5, EXIT_0), TreeCleared(2))
    assert (ending.usage.elapsed_seconds, ending.limits) == (1.5, LIMITS)


def test_elapsed_is_counted_from_the_order() -> None:
    state, _ = step(JobState(LIMITS), Begun(100))
    state, _ = step(state, ChildExited(103.5, EXIT_0))
    assert state.ending(200).usage.elapsed_seconds == 3.5
    assert replace(state, ended_at=None).ending(104).usage.elapsed_seconds == 4.0


def test_a_job_that_can_not_be_killed_has_run_until_it_was_given_up() -> None:
    killed = (TimerFired(10, Timer.DEADLINE), TimerFired(12, Timer.GRACE), StackTaken(12, "where"))
    ending = concluded(*killed, TimerFired(17, Timer.UNKILLABLE))
    assert (ending.usage.elapsed_seconds, ending.killed, ending.stack) == (17, True, "where")
    assert (ending.exit_status, ending.unkillable, ending.unkilled_processes) == (None, True, 0)


def test_all_of_the_evidence_is_in_the_ending() -> None:
    oom = OutOfMemory(1, 100)
    ending = concluded(
        ChannelEnded(4, "no frame"),
        StackTaken(4.1, "where"),
        ChildExited(4.2, ExitStatus(signal_name="SIGKILL")),
        TreeCleared(4.3, killed=2, remaining=1, cpu_seconds=0.5, out_of_memory=oom),
    )
    assert ending == Ending(
        usage=ending.usage,
        limits=LIMITS,
        exit_status=ExitStatus(signal_name="SIGKILL"),
        killed=True,
        channel_problem="no frame",
        stack="where",
        leftover_processes=3,
        unkilled_processes=1,
        out_of_memory=oom,
    )


def test_what_was_wrong_with_the_channel_first_is_what_is_told() -> None:
    state = JobState(LIMITS, phase=Phase.DUMPING, channel_problem="first")
    assert step(state, ChannelEnded(1, "second"))[0].channel_problem == "first"


def test_a_stack_that_did_not_come_leaves_the_one_that_did() -> None:
    state = JobState(LIMITS, phase=Phase.DYING, stack="first")
    assert step(state, StackTaken(1, ""))[0].stack == "first"
    assert step(state, StackTaken(1, "second"))[0].stack == "second"


def test_a_stack_that_comes_when_the_child_is_dying_kills_nothing_again() -> None:
    state = JobState(LIMITS, phase=Phase.DYING)
    assert step(state, StackTaken(1, "late")) == (replace(state, stack="late"), ())


def test_an_outcome_that_comes_before_the_order_or_after_the_end_is_kept_and_starts_nothing() -> None:
    for phase in (Phase.WAITING, Phase.DUMPING, Phase.DYING, Phase.CLEARING, Phase.DRAINING):
        state = JobState(LIMITS, phase=phase)
        assert step(state, OutcomeArrived(1, SUCCESS)) == (replace(state, outcome=SUCCESS), ())


def test_a_job_of_which_everything_is_dead_is_not_stuck() -> None:
    _, (command,) = live(ChannelEnded(1), ChildExited(1, EXIT_0), TreeCleared(1, killed=2, remaining=0))
    assert isinstance(command, Conclude)
    assert not command.stuck


def test_how_a_child_was_ended_without_a_limit_is_in_the_ending() -> None:
    state = JobState(LIMITS, lingered=True, channel_closed=True)
    ending = state.ending(3.0)
    assert (ending.lingered, ending.channel_closed) == (True, True)
    ending = JobState(LIMITS).ending(3.0)
    assert (ending.lingered, ending.channel_closed, ending.usage.elapsed_seconds) == (False, False, 3.0)


def ending_after(*events: JobEvent) -> Ending:
    """What is known when the child exits 20 s after its order."""
    state, commands = live(*events, ChannelEnded(19), ChildExited(20, EXIT_0), TreeCleared(21))
    (conclude,) = [command for command in commands if isinstance(command, Conclude)]
    return told(state, conclude)


def test_the_times_in_which_a_limit_was_not_watched_add_up_under_the_first_reason() -> None:
    failed = WatchFailed(2, LimitKind.MEMORY, "no thread")
    events = (
        failed,
        replace(failed, at=3, reason="no memory"),
        MemoryMeasured(5, 1.0),
        replace(failed, at=6),
    )
    assert ending_after(*events, MemoryMeasured(6.5, 1.0)).unwatched == (
        Unwatched(LimitKind.MEMORY, 3.5, "no thread"),
    )


def test_a_limit_that_is_not_watched_to_the_end_was_not_watched_until_then() -> None:
    processes = WatchFailed(4, LimitKind.PROCESSES, "no descriptor")
    ending = ending_after(processes, MemoryMeasured(5, 1.0), WatchFailed(18, LimitKind.MEMORY, "no thread"))
    assert ending.unwatched == (
        Unwatched(LimitKind.PROCESSES, 16, "no descriptor"),
        Unwatched(LimitKind.MEMORY, 2, "no thread"),
    )


def test_a_count_ends_what_a_sample_does_not() -> None:
    processes = WatchFailed(4, LimitKind.PROCESSES, "no descriptor")
    assert [gap.seconds for gap in ending_after(processes, ProcessesCounted(5, 1)).unwatched] == [1]


def test_a_look_at_what_a_job_computes_ends_the_time_in_which_that_was_not_seen() -> None:
    cpu = WatchFailed(4, LimitKind.CPU, "no descriptor")
    (gap,) = ending_after(cpu, MemoryMeasured(5, 1.0), CpuMeasured(6, 1.0)).unwatched
    assert (gap.kind, gap.seconds) == (LimitKind.CPU, 2)


def test_a_look_that_fails_when_nothing_can_run_any_more_is_nothing_to_tell() -> None:
    state, _ = live(ChildExited(5, EXIT_0), WatchFailed(6, LimitKind.MEMORY, "no thread"))
    assert state.ending(7).unwatched == ()


def test_a_job_that_begins_while_a_look_hangs_was_not_watched_from_its_begin_on() -> None:
    state, _ = step(JobState(LIMITS), WatchFailed(1, LimitKind.MEMORY, "no answer"))
    state, _ = step(state, WatchFailed(1, LimitKind.PROCESSES, "no descriptor"))
    state, _ = step(state, ProcessesCounted(2, 1))
    state, _ = step(state, Begun(5))
    state, _ = step(state, ChildExited(20, EXIT_0))
    assert state.ending(20).unwatched == (Unwatched(LimitKind.MEMORY, 15, "no answer"),)


def test_of_a_job_that_never_began_nothing_was_unwatched() -> None:
    state, _ = step(JobState(LIMITS), WatchFailed(1, LimitKind.MEMORY, "no answer"))
    state, _ = step(state, ChildExited(20, EXIT_0))
    assert (state.not_begun, state.ending(20).unwatched) == (True, ())
