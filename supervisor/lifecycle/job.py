"""The life of one job, from its order to its ending.

```
WAITING ─► RUNNING ──limit──► CANCELLING ──grace over──► DUMPING ──stack──► DYING ──no exit──► ENDED
              │ │                  │                                          │ exit
              │ └──outcome──► LINGERING ──linger over──► DUMPING              ▼
              └────────────────exit───────────────────────────────────────► CLEARING ──► DRAINING ──► ENDED
```
Whatever happens, the child's exit leads to CLEARING: the tree is dead before the verdict leaves the worker.
"""

from dataclasses import replace
from typing import assert_never

from supervisor.lifecycle.durations import (
    CLOSED_CHANNEL_SECONDS,
    DRAIN_SECONDS,
    FREEZE_SECONDS,
    LINGER_SECONDS,
    MOST_WAITS,
    STACK_SECONDS,
    UNKILLABLE_SECONDS,
)
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
    JobCommand,
    JobEvent,
    KillChild,
    MemoryMeasured,
    NotKeptApart,
    OutcomeArrived,
    ProcessesCounted,
    SendCancel,
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
from supervisor.lifecycle.stall import looked, ticked, watch_from
from supervisor.lifecycle.state import JobState, Phase
from supervisor.verdict import LimitHit, LimitKind

Step = tuple[JobState, tuple[JobCommand, ...]]


def step(state: JobState, event: JobEvent) -> Step:
    """Return the next state and the commands for it. Total: an unexpected event changes nothing."""
    if state.phase is Phase.ENDED:
        return state, ()
    match event:
        case Begun():
            return _begun(state, event)
        case NotKeptApart():
            return replace(state, not_isolated=True), ()
        case OutcomeArrived():
            return _outcome(state, event)
        case ChannelEnded():
            return _channel_ended(state, event)
        case ChildExited():
            return _exited(state, event)
        case TimerFired():
            return _timer(state, event)
        case MemoryMeasured():
            return _measured(state, event)
        case CpuMeasured():
            return _cpu_measured(state, event)
        case Ticked():
            return _ticked(state, event)
        case ChannelChecked():
            return _looked(state, event)
        case ProcessesCounted():
            return _counted(state, event)
        case WatchFailed():
            return state.unseen(event.kind, event.reason, event.at), ()
        case StopDemanded():
            return _stop(state, event)
        case CancelDemanded():
            return _cancel_demanded(state, event)
        case StackTaken():
            return _stack(state, event)
        case TreeCleared():
            return _cleared(state, event)
        case _:
            assert_never(event)


def _begun(state: JobState, event: Begun) -> Step:
    if state.phase is not Phase.WAITING:
        return state, ()
    started = state.begun(event.at)
    if started.limit is not None:  # it was told to stop while it waited for its child
        return _take_stack(started, event.at)
    deadline = SetTimer(Timer.DEADLINE, event.at + state.limits.max_seconds)
    if state.limits.stall_seconds is None:
        return started, (deadline,)
    stall = watch_from(event.at, state.limits.stall_seconds)
    return replace(started, stall=stall), (deadline, SetTimer(Timer.LOOK, stall.due_at))


def _outcome(state: JobState, event: OutcomeArrived) -> Step:
    if state.outcome is not None:
        return state, ()  # a block that forks can return twice: the first one counts
    state = replace(state, outcome=event.outcome)
    if state.phase in (Phase.RUNNING, Phase.CANCELLING):
        state = _stop_watch(state, event.at)  # the loop will not tick any more
        return replace(state, phase=Phase.LINGERING), (SetTimer(Timer.LINGER, event.at + LINGER_SECONDS),)
    return state, ()


def _channel_ended(state: JobState, event: ChannelEnded) -> Step:
    if state.channel_ended:
        return state, ()
    state = _stop_watch(replace(state, channel_ended=True), state.ended_at or event.at)
    if event.problem is not None and state.outcome is None and state.channel_problem is None:
        state = replace(state, channel_problem=event.problem)
    if state.phase is Phase.DRAINING:
        return _conclude(state, event.at)
    if state.phase not in (Phase.RUNNING, Phase.CANCELLING):
        return state, ()
    if event.problem is not None:
        return _take_stack(state, event.at)
    return state, (SetTimer(Timer.CLOSED_CHANNEL, event.at + CLOSED_CHANNEL_SECONDS),)


def _exited(state: JobState, event: ChildExited) -> Step:
    if state.exit_status is not None:
        return state, ()
    if state.phase is Phase.WAITING:
        state = replace(state, not_begun=True, started_at=event.at, gaps=())
    state = replace(state, phase=Phase.CLEARING, exit_status=event.status, ended_at=event.at)
    return state, (ClearTree(),)


def _timer(state: JobState, event: TimerFired) -> Step:
    match event.timer:
        case Timer.DEADLINE if state.phase is Phase.RUNNING:
            limit = LimitHit(LimitKind.TIME, event.at - state.started_at)
            reason = f"the job reached its time limit of {state.limits.max_seconds:g} s"
            return _cancel(replace(state, limit=limit), event.at, reason)
        case Timer.GRACE if state.phase is Phase.CANCELLING:
            return _take_stack(replace(state, grace_used_up=True), event.at)
        case Timer.STACK if state.phase is Phase.DUMPING:
            return _kill(state, event.at)
        case Timer.LINGER if state.phase is Phase.LINGERING:
            return _take_stack(replace(state, lingered=True), event.at)
        case Timer.LOOK if state.stall is not None and state.phase in (Phase.RUNNING, Phase.CANCELLING):
            return state, (CheckChannel(),)
        case Timer.CLOSED_CHANNEL if state.phase in (Phase.RUNNING, Phase.CANCELLING):
            return _take_stack(replace(state, channel_closed=True), event.at)
        case Timer.UNKILLABLE if state.phase is Phase.DYING:
            if event.waits_for_processor and state.waits < MOST_WAITS:
                waits = SetTimer(Timer.UNKILLABLE, event.at + UNKILLABLE_SECONDS)
                return replace(state, waits=state.waits + 1), (waits,)
            return replace(state, phase=Phase.ENDED, unkillable=True), (Conclude(event.at, stuck=True),)
        case Timer.DRAIN if state.phase is Phase.DRAINING:
            return _conclude(state, event.at)
        case _:
            return state, ()


def _measured(state: JobState, event: MemoryMeasured) -> Step:
    state = state.seen(LimitKind.MEMORY, event.at)
    state = replace(state, peak_memory_mb=max(state.peak_memory_mb or 0.0, event.used_mb))
    most = state.limits.memory_mb
    if most is None or state.phase is not Phase.RUNNING or not (event.at_limit or event.used_mb > most):
        return state, ()
    # The whole job, same as `memory.oom.group`: a job without one of its processes may hang.
    limit = LimitHit(LimitKind.MEMORY, max(most, event.used_mb))
    # No grace: a block that cleans up allocates more memory meanwhile.
    return _take_stack(replace(state, limit=limit), event.at)


def _cpu_measured(state: JobState, event: CpuMeasured) -> Step:
    used_seconds, most = max(state.cpu_seconds or 0.0, event.used_seconds), state.limits.cpu_seconds
    state = replace(state.seen(LimitKind.CPU, event.at), cpu_seconds=used_seconds)
    if most is None or state.phase is not Phase.RUNNING or event.used_seconds <= most:
        return state, ()
    state = _stop_watch(replace(state, limit=LimitHit(LimitKind.CPU, event.used_seconds)), event.at)
    # A grace, as for time: it limits what the job still uses, and the job can leave a device in order.
    state, commands = _cancel(state, event.at, f"the job reached its CPU limit of {most:g} s")
    # The stack must be taken now: a block that reacts to the request is in its clean-up a moment later.
    return state, (commands if state.phase is Phase.DUMPING else (TakeStack(), *commands))


def _cancel(state: JobState, at: float, reason: str) -> Step:
    if (grace_seconds := state.limits.grace_seconds) <= 0:
        return _take_stack(state, at)
    timer = SetTimer(Timer.GRACE, at + grace_seconds)
    return replace(state, phase=Phase.CANCELLING), (SendCancel(reason), timer)


def _ticked(state: JobState, event: Ticked) -> Step:
    if state.stall is None:
        return state, ()
    stall, stalled_seconds = ticked(state.stall, event.at, sleeps=event.sleeps)
    told = () if stalled_seconds is None else (TellResumed(stalled_seconds),)
    return replace(state, stall=stall), told


def _looked(state: JobState, event: ChannelChecked) -> Step:
    if state.stall is None or state.phase not in (Phase.RUNNING, Phase.CANCELLING):
        return state, ()
    stall, stalled = looked(state.stall, event.at, unread=event.unread, slept=event.slept)
    state = replace(state, stall=stall)
    again = SetTimer(Timer.LOOK, stall.due_at)
    if not stalled or state.phase is Phase.CANCELLING:  # its end is near then, and shows the same
        return state, (again,)
    if not state.limits.kill_stalled:
        return state, (TellStalled(stall.counted_seconds), again)
    limit = LimitHit(LimitKind.STALL, stall.counted_seconds)
    # No grace: a loop that does not run can't react.
    return _take_stack(replace(state, limit=limit), event.at)


def _stop_watch(state: JobState, at: float) -> JobState:
    """Keep the current silence as evidence. Later silence is caused by the end itself."""
    if state.stall is None:
        return state
    return replace(state, stall=None, silent_seconds=state.stall.telling_at(at))


def _counted(state: JobState, event: ProcessesCounted) -> Step:
    state = state.seen(LimitKind.PROCESSES, event.at).counted(event.count)
    most = state.limits.processes
    if most is None or event.count <= most:
        return state, ()
    if state.phase is Phase.LINGERING:  # its result is complete; only clearing the tree is left to do
        return _kill(replace(state, lingered=True), event.at)
    if state.phase not in (Phase.RUNNING, Phase.CANCELLING):
        return state, ()
    hit = state.limit or LimitHit(LimitKind.PROCESSES, event.count)
    frozen = replace(_stop_watch(state, event.at), limit=hit, phase=Phase.DUMPING)
    # No grace, as for memory; and nothing may run during the wait for the stack.
    return frozen, (SetTimer(Timer.STACK, event.at + FREEZE_SECONDS), FreezeTree())


def _stop(state: JobState, event: StopDemanded) -> Step:
    if state.phase not in (Phase.WAITING, Phase.RUNNING, Phase.CANCELLING):
        return state, ()
    if state.limit is None:
        ran = 0.0 if state.phase is Phase.WAITING else event.at - state.started_at
        state = replace(state, limit=LimitHit(LimitKind.STOPPING, ran))
    return (state, ()) if state.phase is Phase.WAITING else _take_stack(state, event.at)


def _cancel_demanded(state: JobState, event: CancelDemanded) -> Step:
    # A job that is ending already has its cause, and one that has sent its outcome is done.
    if state.phase not in (Phase.WAITING, Phase.RUNNING) or state.limit is not None:
        return state, ()
    if state.phase is Phase.WAITING:
        return replace(state, limit=LimitHit(LimitKind.CANCELLED, 0.0)), ()
    limit = LimitHit(LimitKind.CANCELLED, event.at - state.started_at)
    return _cancel(replace(state, limit=limit), event.at, "an operator cancelled the job")


def _stack(state: JobState, event: StackTaken) -> Step:
    state = replace(state, stack=event.stack or state.stack)
    return _kill(state, event.at) if state.phase is Phase.DUMPING else (state, ())


def _cleared(state: JobState, event: TreeCleared) -> Step:
    if state.phase is not Phase.CLEARING:
        return state, ()
    state = state.cleared(event)
    if state.channel_ended:
        return _conclude(state, event.at)
    return state, (SetTimer(Timer.DRAIN, event.at + DRAIN_SECONDS),)


def _take_stack(state: JobState, at: float) -> Step:
    # The signal for the stack can wake a blocked call, and the loop then ticks again.
    state = _stop_watch(state, at)
    return replace(state, phase=Phase.DUMPING), (SetTimer(Timer.STACK, at + STACK_SECONDS), TakeStack())


def _kill(state: JobState, at: float) -> Step:
    killed = replace(state, phase=Phase.DYING, killed=True)
    return killed, (KillChild(), SetTimer(Timer.UNKILLABLE, at + UNKILLABLE_SECONDS))


def _conclude(state: JobState, at: float) -> Step:
    # A process that lives on uses its slot's share of the machine: no other job may get the slot.
    stuck = state.unkilled_processes > 0 or state.leftovers_unsearched
    return replace(state, phase=Phase.ENDED), (Conclude(at, stuck=stuck),)
