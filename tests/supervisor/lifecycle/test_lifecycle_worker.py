"""The worker's life: the order of a shutdown (I10) holds whatever happens."""

import itertools

import pytest

from supervisor.lifecycle.worker import WorkerCommand, WorkerEvent, WorkerPhase, WorkerState, worker_step

SIGNALLED = WorkerEvent.SIGNALLED
END_NEEDED = WorkerEvent.END_NEEDED
TIMED_OUT = WorkerEvent.DRAIN_TIMED_OUT
JOBS_ENDED = WorkerEvent.JOBS_ENDED
DELIVERED = WorkerEvent.RESULTS_DELIVERED
STOP_POLLING = WorkerCommand.STOP_POLLING
KILL_JOBS = WorkerCommand.KILL_JOBS
DELIVER_REST = WorkerCommand.DELIVER_REST
UNREGISTER = WorkerCommand.UNREGISTER
UNREGISTERED = WorkerEvent.UNREGISTERED
EXIT = WorkerCommand.EXIT
EXIT_AT_ONCE = WorkerCommand.EXIT_AT_ONCE


def live(*events: WorkerEvent) -> tuple[WorkerState, list[WorkerCommand]]:
    state, commands = WorkerState(), []
    for event in events:
        state, more = worker_step(state, event)
        commands += more
    return state, commands


@pytest.mark.parametrize(
    ("events", "phase", "commands"),
    [
        ([], WorkerPhase.RUNNING, []),
        ([SIGNALLED], WorkerPhase.DRAINING, [STOP_POLLING]),
        ([SIGNALLED, SIGNALLED], WorkerPhase.KILLING, [STOP_POLLING, KILL_JOBS]),
        ([SIGNALLED, TIMED_OUT], WorkerPhase.KILLING, [STOP_POLLING, KILL_JOBS]),
        ([SIGNALLED, TIMED_OUT, SIGNALLED], WorkerPhase.KILLING, [STOP_POLLING, KILL_JOBS]),
        ([SIGNALLED] * 3, WorkerPhase.ENDED, [STOP_POLLING, KILL_JOBS, EXIT_AT_ONCE]),
        ([SIGNALLED, JOBS_ENDED], WorkerPhase.DELIVERING, [STOP_POLLING, DELIVER_REST]),
        (
            [SIGNALLED, JOBS_ENDED, DELIVERED],
            WorkerPhase.LEAVING,
            [STOP_POLLING, DELIVER_REST, UNREGISTER],
        ),
        (
            [SIGNALLED, SIGNALLED, JOBS_ENDED, DELIVERED],
            WorkerPhase.LEAVING,
            [STOP_POLLING, KILL_JOBS, DELIVER_REST, UNREGISTER],
        ),
        (
            [SIGNALLED, JOBS_ENDED, DELIVERED, UNREGISTERED],
            WorkerPhase.ENDED,
            [STOP_POLLING, DELIVER_REST, UNREGISTER, EXIT],
        ),
        ([UNREGISTERED], WorkerPhase.RUNNING, []),
        ([SIGNALLED, JOBS_ENDED, UNREGISTERED], WorkerPhase.DELIVERING, [STOP_POLLING, DELIVER_REST]),
        ([SIGNALLED, JOBS_ENDED, SIGNALLED], WorkerPhase.DELIVERING, [STOP_POLLING, DELIVER_REST]),
        ([END_NEEDED], WorkerPhase.DRAINING, [STOP_POLLING]),
        ([END_NEEDED, TIMED_OUT], WorkerPhase.KILLING, [STOP_POLLING, KILL_JOBS]),
        ([END_NEEDED, SIGNALLED], WorkerPhase.DRAINING, [STOP_POLLING]),
        ([END_NEEDED, SIGNALLED, SIGNALLED], WorkerPhase.KILLING, [STOP_POLLING, KILL_JOBS]),
        ([END_NEEDED, *[SIGNALLED] * 3], WorkerPhase.ENDED, [STOP_POLLING, KILL_JOBS, EXIT_AT_ONCE]),
        ([SIGNALLED, END_NEEDED], WorkerPhase.DRAINING, [STOP_POLLING]),
        ([JOBS_ENDED], WorkerPhase.RUNNING, []),
        ([TIMED_OUT], WorkerPhase.RUNNING, []),
        ([DELIVERED], WorkerPhase.RUNNING, []),
        ([SIGNALLED, DELIVERED], WorkerPhase.DRAINING, [STOP_POLLING]),
    ],
)
def test_each_row_of_the_worker_s_life(
    events: list[WorkerEvent], phase: WorkerPhase, commands: list[WorkerCommand]
) -> None:
    state, given = live(*events)
    assert (state.phase, given) == (phase, commands)


def test_only_a_running_worker_polls() -> None:
    assert WorkerState().polls
    assert not live(SIGNALLED)[0].polls


def test_in_every_sequence_of_six_events_the_order_of_a_shutdown_holds() -> None:
    order = [STOP_POLLING, KILL_JOBS, DELIVER_REST, UNREGISTER, EXIT]
    for events in itertools.product(WorkerEvent, repeat=6):
        _, commands = live(*events)
        orderly = [command for command in commands if command is not EXIT_AT_ONCE]
        assert orderly == [command for command in order if command in orderly], events
        assert (EXIT_AT_ONCE in commands) == (events.count(SIGNALLED) >= 3)
        assert STOP_POLLING in commands or not commands
