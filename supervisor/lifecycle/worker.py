"""The life of the worker: running, draining, killing, delivering, leaving. Shutdown order is invariant I10:
stop polling → finish or kill the jobs → deliver the results → unregister → exit; heartbeat to the end.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto


class WorkerPhase(Enum):
    """Where the worker is in its life."""

    RUNNING = auto()
    DRAINING = auto()
    KILLING = auto()
    DELIVERING = auto()
    LEAVING = auto()
    ENDED = auto()


class WorkerCommand(Enum):
    """What the worker's code must do."""

    STOP_POLLING = auto()
    KILL_JOBS = auto()
    DELIVER_REST = auto()
    UNREGISTER = auto()
    EXIT = auto()
    EXIT_AT_ONCE = auto()


class WorkerEvent(Enum):
    """What can happen to the worker."""

    SIGNALLED = auto()
    """SIGTERM or SIGINT: the first drains, the second kills the jobs, the third leaves at once. SIGHUP of a closed
    terminal counts as the first one, or is ignored."""
    END_NEEDED = auto()
    """A failure, or a drain that ends the worker. It drains like a first signal, but does not count as one."""
    DRAIN_TIMED_OUT = auto()
    JOBS_ENDED = auto()
    """No job is running, none waits, and no poll is in flight."""
    RESULTS_DELIVERED = auto()
    """Every result was delivered, or the time for it is over; the rest stays in the journal."""
    UNREGISTERED = auto()
    """The engine knows that this worker leaves, or could not be told."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """The worker's phase and how many signals have told it to stop."""

    phase: WorkerPhase = WorkerPhase.RUNNING
    signals: int = 0

    @property
    def polls(self) -> bool:
        """Whether new jobs may be claimed."""
        return self.phase is WorkerPhase.RUNNING


WorkerStep = tuple[WorkerState, tuple[WorkerCommand, ...]]


def worker_step(state: WorkerState, event: WorkerEvent) -> WorkerStep:
    """Return the next state and the commands for it. An unexpected event changes nothing."""
    match event, state.phase:
        case WorkerEvent.SIGNALLED, _:
            return _signalled(replace(state, signals=state.signals + 1))
        case WorkerEvent.END_NEEDED, WorkerPhase.RUNNING:
            return _drained(state)
        case WorkerEvent.DRAIN_TIMED_OUT, WorkerPhase.DRAINING:
            return replace(state, phase=WorkerPhase.KILLING), (WorkerCommand.KILL_JOBS,)
        case WorkerEvent.JOBS_ENDED, (WorkerPhase.DRAINING | WorkerPhase.KILLING):
            return replace(state, phase=WorkerPhase.DELIVERING), (WorkerCommand.DELIVER_REST,)
        case WorkerEvent.RESULTS_DELIVERED, WorkerPhase.DELIVERING:
            return replace(state, phase=WorkerPhase.LEAVING), (WorkerCommand.UNREGISTER,)
        case WorkerEvent.UNREGISTERED, WorkerPhase.LEAVING:
            return replace(state, phase=WorkerPhase.ENDED), (WorkerCommand.EXIT,)
        case _:
            return state, ()


def _signalled(state: WorkerState) -> WorkerStep:
    if state.signals >= 3:
        return replace(state, phase=WorkerPhase.ENDED), (WorkerCommand.EXIT_AT_ONCE,)
    match state.phase:
        case WorkerPhase.RUNNING:
            return _drained(state)
        case WorkerPhase.DRAINING if state.signals >= 2:  # the first may come while it drains after a failure
            return replace(state, phase=WorkerPhase.KILLING), (WorkerCommand.KILL_JOBS,)
        case _:
            return state, ()


def _drained(state: WorkerState) -> WorkerStep:
    return replace(state, phase=WorkerPhase.DRAINING), (WorkerCommand.STOP_POLLING,)
