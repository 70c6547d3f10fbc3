"""A job's life under events in any order: it never raises, ends exactly once, and never lies."""

from dataclasses import replace
from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from supervisor.lifecycle.events import (
    Begun,
    CancelDemanded,
    ChannelChecked,
    ChannelEnded,
    CheckChannel,
    ChildExited,
    ClearTree,
    Conclude,
    CpuMeasured,
    FreezeTree,
    JobEvent,
    KillChild,
    MemoryMeasured,
    OutcomeArrived,
    ProcessesCounted,
    SetTimer,
    StackTaken,
    StopDemanded,
    TakeStack,
    TellResumed,
    TellStalled,
    Ticked,
    Timer,
    TimerFired,
    TreeCleared,
    WatchFailed,
)
from supervisor.lifecycle.job import JobState, Phase, step
from supervisor.verdict import Cause, ExitStatus, LimitHit, LimitKind, Limits, OutcomeSeen, Verdict, decide

LONGEST_END_SECONDS = 60.0

outcomes = strategies.builds(OutcomeSeen, success=strategies.booleans(), message=strategies.just("m"))
statuses = strategies.one_of(
    strategies.builds(ExitStatus, code=strategies.sampled_from([0, 1, 70])),
    strategies.builds(ExitStatus, signal_name=strategies.sampled_from(["SIGKILL", "SIGSEGV"])),
    strategies.just(ExitStatus()),
)
limits = strategies.builds(
    Limits,
    max_seconds=strategies.sampled_from([0.1, 5.0]),
    grace_seconds=strategies.sampled_from([0.0, 1.0]),
    memory_mb=strategies.sampled_from([None, 50.0]),
    stall_seconds=strategies.sampled_from([None, 0.4, 2.0]),
    kill_stalled=strategies.booleans(),
    processes=strategies.sampled_from([None, 50]),
    cpu_seconds=strategies.sampled_from([None, 2.0]),
)


class LifeOfAJob(RuleBasedStateMachine):
    """A world around the machine: a clock, timers, a child that may or may not die, a tree to clear."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.state = JobState(Limits(5.0, 1.0))
        self.timers: dict[Timer, float] = {}
        self.look_asked = self.told_stalled = False
        self.last_tick: float | None = None
        self.has_begun = False
        self.exited = self.clear_asked = self.cleared = self.killed = self.stack_asked = False
        self.conclusions: list[Conclude] = []
        self.first_outcome: OutcomeSeen | None = None
        self.limit_when_outcome_came: LimitHit | None = None
        self.foreseen: Verdict | None = None

    def feed(self, event: JobEvent) -> None:
        before = self.state
        self.state, commands = step(self.state, event)
        assert before.limit is None or self.state.limit is before.limit, "a limit that was hit was changed"
        assert before.outcome is None or self.state.outcome is before.outcome, "an outcome was replaced"
        if before.outcome is None and self.state.outcome is not None:
            self.limit_when_outcome_came = before.limit
        assert before.phase is not Phase.ENDED or not commands, "something was asked for after the end"
        if (
            isinstance(event, OutcomeArrived)
            and self.state.phase is Phase.LINGERING
            and self.foreseen is None
        ):
            self.foreseen = decide(self.state.ending(self.now))
        if self.foreseen is not None and self.state.phase is Phase.ENDED:
            self.is_as_foreseen(self.foreseen, decide(self.state.ending(self.now)))
        for command in commands:
            self.obey(command)

    def is_as_foreseen(self, foreseen: Verdict, verdict: Verdict) -> None:
        """What is written at the outcome is true, whatever is seen of the end: only a note may be missing."""
        if self.limit_when_outcome_came is None:
            assert replace(verdict, message="", warning=None) == replace(foreseen, message="", warning=None)
            assert verdict.message.startswith(foreseen.message.partition("\nNote: ")[0])

    def obey(self, command: Any) -> None:
        match command:
            case SetTimer(timer, at):
                assert at >= self.now
                self.timers[timer] = at
            case KillChild():
                assert not self.exited, "a dead child was killed"
                self.killed = True
            case TakeStack() | FreezeTree():
                assert not self.exited
                self.stack_asked = True
            case CheckChannel():
                assert self.state.limits.stall_seconds is not None, "a loop that nobody watches was looked at"
                self.look_asked = True
            case TellStalled(seconds):
                assert not self.told_stalled, "one silence was told twice"
                assert not self.state.limits.kill_stalled
                self.told_stalled = True
                self.was_silent_for(seconds)
            case TellResumed():
                assert self.told_stalled, "the end of a silence that was never told"
                self.told_stalled = False
            case ClearTree():
                assert self.exited, "the tree of a living child was cleared"
                self.clear_asked = True
            case Conclude(stuck=stuck):
                assert self.cleared or (stuck and self.killed), "a verdict before the tree was dead"
                self.conclusions.append(command)

    def was_silent_for(self, seconds: float) -> None:
        """No accusation without proof: not one moment counts that lies before a tick, or that nobody saw."""
        threshold = self.state.limits.stall_seconds
        assert threshold is not None
        assert seconds >= threshold
        assert self.last_tick is not None
        assert seconds <= self.now - self.last_tick + 1e-9, "a loop was accused of more than its silence"

    @initialize(given=limits)
    def begin(self, given: Limits) -> None:
        self.state = JobState(given)

    @rule()
    def order(self) -> None:
        if self.state.phase is Phase.WAITING:
            self.last_tick = self.now
            self.has_begun = True
        self.feed(Begun(self.now))

    @rule(seconds=strategies.sampled_from([0.01, 0.3, 2.0, 6.0]))
    def let_time_pass(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [(at, timer) for timer, at in self.timers.items() if at <= end]:
            self.now, timer = min(due, key=lambda item: item[0])
            del self.timers[timer]
            self.feed(TimerFired(self.now, timer))
            if self.look_asked and timer is Timer.LOOK:
                self.look(unread=False)
        self.now = end

    @precondition(lambda self: self.look_asked)
    @rule(unread=strategies.booleans())
    def look(self, unread: bool) -> None:
        self.look_asked = False
        before = self.state
        self.feed(ChannelChecked(self.now, unread))
        if self.state.limit is not before.limit and self.state.limit is not None:
            assert self.state.limit.kind is LimitKind.STALL
            assert self.state.limits.kill_stalled
            assert not unread, "a loop was accused whose ticks nobody had read"
            self.was_silent_for(self.state.limit.measured)

    @rule(seconds=strategies.sampled_from([0.3, 3.0]))
    def the_supervisor_stands_still(self, seconds: float) -> None:
        """Its timers come late, all at once, and nothing was read meanwhile."""
        self.now += seconds
        for timer in [timer for timer, at in self.timers.items() if at <= self.now]:
            del self.timers[timer]
            before = self.state
            self.feed(TimerFired(self.now, timer))
            if timer is Timer.LOOK and self.look_asked:
                self.look(unread=False)
            if seconds > 1 and before.limit is None and self.state.limit is not None:
                assert self.state.limit.kind is not LimitKind.STALL, "its lateness was taken for the child's"

    @rule()
    def tick(self) -> None:
        self.last_tick = self.now
        self.feed(Ticked(self.now))
        assert not self.told_stalled or self.state.phase is not Phase.RUNNING

    @rule(outcome=outcomes)
    def outcome(self, outcome: OutcomeSeen) -> None:
        if self.state.phase is not Phase.ENDED and self.first_outcome is None:
            self.first_outcome = outcome
        self.feed(OutcomeArrived(self.now, outcome))

    @rule(problem=strategies.sampled_from([None, "no frame"]))
    def channel_ends(self, problem: str | None) -> None:
        self.feed(ChannelEnded(self.now, problem))

    @rule(status=statuses)
    def child_ends(self, status: ExitStatus) -> None:
        first, self.exited = not self.exited, True
        self.feed(ChildExited(self.now, status))
        assert not first or self.state.phase in (Phase.CLEARING, Phase.ENDED)

    @precondition(lambda self: self.clear_asked and not self.cleared)
    @rule(left=strategies.integers(0, 2))
    def tree_is_cleared(self, left: int) -> None:
        self.cleared = True
        self.feed(TreeCleared(self.now, killed=left))

    @rule(used_mb=strategies.sampled_from([1.0, 49.0, 51.0]), at_limit=strategies.booleans())
    def memory(self, used_mb: float, at_limit: bool) -> None:
        self.feed(MemoryMeasured(self.now, used_mb, at_limit))

    @rule(count=strategies.sampled_from([1, 50, 51]))
    def processes(self, count: int) -> None:
        self.feed(ProcessesCounted(self.now, count))

    @rule(used_seconds=strategies.sampled_from([0.5, 2.0, 2.25]))
    def cpu(self, used_seconds: float) -> None:
        self.feed(CpuMeasured(self.now, used_seconds))

    @rule(kind=strategies.sampled_from([LimitKind.MEMORY, LimitKind.PROCESSES, LimitKind.CPU]))
    def watch_fails(self, kind: LimitKind) -> None:
        self.feed(WatchFailed(self.now, kind, "no thread"))

    @rule()
    def stop(self) -> None:
        self.feed(StopDemanded(self.now))

    @rule()
    def an_operator_cancels(self) -> None:
        self.feed(CancelDemanded(self.now))

    @precondition(lambda self: self.stack_asked)
    @rule(stack=strategies.sampled_from(["", "File"]))
    def stack_comes(self, stack: str) -> None:
        self.feed(StackTaken(self.now, stack))

    @rule(timer=strategies.sampled_from(list(Timer)))
    def a_timer_of_the_past_fires(self, timer: Timer) -> None:
        """A timer that was set again, or that fired while the loop was busy with what made it superfluous."""
        if timer not in self.timers:
            self.feed(TimerFired(self.now, timer))

    @invariant()
    def ends_at_most_once(self) -> None:
        assert len(self.conclusions) == (1 if self.state.phase is Phase.ENDED else 0)

    @invariant()
    def the_verdict_is_true(self) -> None:
        for conclusion in self.conclusions:
            ending = self.state.ending(conclusion.at)
            verdict = decide(ending)
            if ending.limit is not None:
                assert not verdict.success, "a success after a limit"
            if verdict.success:
                assert ending.outcome is self.first_outcome
                assert ending.outcome is not None
                assert ending.outcome.success
                assert self.limit_when_outcome_came is None, "an outcome after a limit was counted"
            if ending.limit is None:
                assert (verdict.cause is Cause.START_FAILED) is not self.has_begun
            if self.first_outcome is None:
                assert verdict.cause not in (Cause.COMPLETED, Cause.BLOCK_FAILED)

    def teardown(self) -> None:
        """Whatever happened: with the passing of time alone, and a kernel that obeys, the job ends."""
        if self.state.phase is Phase.WAITING:
            self.order()
        begun = self.now
        while self.state.phase is not Phase.ENDED:
            assert self.now - begun < LONGEST_END_SECONDS, f"not ended: {self.state}"
            if self.killed and not self.exited:
                self.child_ends(ExitStatus(signal_name="SIGKILL"))
            if self.clear_asked and not self.cleared:
                self.tree_is_cleared(0)
            self.let_time_pass(0.3)
        self.ends_at_most_once()
        self.the_verdict_is_true()


LifeOfAJob.TestCase.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)
TestAnyOrderOfEvents = LifeOfAJob.TestCase
