"""Stops the worker: passes signals to its state machine, and does what that decides."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from supervisor.lifecycle.worker import WorkerCommand, WorkerEvent, WorkerPhase, WorkerState, worker_step
from supervisor.log.event import tell
from supervisor.log.events.worker import StopSignalled
from supervisor.process.last_words import say_now
from supervisor.process.tasks import OnFailure, Tasks
from supervisor.worker.notify import Notifier, extended_by

_log = logging.getLogger(__name__)

EXIT_AT_ONCE: Final = 130
END_SECONDS: Final = 90.0
"""How long the end may take beyond the time for running jobs: to kill and report them, to unregister, and a margin."""
_ANNOUNCEMENTS: Final = {
    1: "The worker stops. It takes no new jobs, and running ones have {seconds:g} s to end. Another signal kills them.",
    2: "The worker stops now. It kills running jobs and reports them. Another signal ends it at once.",
    3: "The worker ends at once. The next start reports the jobs that were interrupted.",
}
_STOPS_ALREADY: Final = (
    "The worker stops already. Running jobs have the rest of their time. Another signal kills them."
)


class Work(Protocol):
    """The parts of a worker that its end needs. Each method is one step of the end."""

    def stop_polling(self) -> None:
        """Claim no more jobs."""
        ...

    async def wait_for_jobs(self) -> None:
        """Wait until no poll is in flight, and no job runs or waits."""
        ...

    def kill_jobs(self) -> None:
        """End every running job, and refuse those that wait."""
        ...

    async def deliver_rest(self) -> None:
        """Wait until every result is delivered, or the time for it is over."""
        ...

    async def unregister(self) -> None:
        """Tell the engine that this worker leaves."""
        ...


class Shutdown:
    """How far the worker's end is. `asked` is set at the first signal, or at another reason to end.

    `wanted` is set if somebody wants the end: by a signal, or by a drain that ends the worker; not after a failure.

    `on_failure` gets a step that failed, which is a bug; the next step follows anyway.
    """

    def __init__(self, timeout_seconds: float, notifier: Notifier, on_failure: OnFailure) -> None:
        self.asked = asyncio.Event()
        self.wanted = asyncio.Event()
        self._over = asyncio.Event()
        self._timeout = timeout_seconds
        self._notifier = notifier
        self._state = WorkerState()
        self._work: Work | None = None
        self._steps = Tasks(on_failure)
        self._timer: asyncio.TimerHandle | None = None

    async def work(self, work: Work) -> None:
        """Let a worker work until it is told to stop, then take the steps of its end. Returns when it may exit.

        A worker that was told to stop while it started ends at once. Cancelling this stops the end where it is.
        """
        self._work = work
        try:
            if not self._state.polls:
                self._end_work(work)
            if self._state.phase is WorkerPhase.KILLING:
                work.kill_jobs()
            await self._over.wait()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await self._steps.close()

    def on_signal(self, number: signal.Signals) -> None:
        """Handle a signal to stop, and log its effect."""
        self.wanted.set()
        count = self._state.signals + 1
        is_late = count == 1 and not self._state.polls
        announcement = _STOPS_ALREADY if is_late else _ANNOUNCEMENTS.get(count)
        if announcement is not None:
            signalled = StopSignalled(
                signal=number.name, consequence=announcement.format(seconds=self._timeout)
            )
            if count < 3:
                tell(_log, signalled)
            else:
                # Not to the log: its thread will not write it any more.
                say_now(f"supervisor: {signalled.message}")
        self._apply(WorkerEvent.SIGNALLED)

    def end_at_once(self, number: signal.Signals) -> None:
        """Handle the third signal to stop, even if the loop hangs. Does not return."""
        say_now(f"supervisor: {StopSignalled(signal=number.name, consequence=_ANNOUNCEMENTS[3]).message}")
        os._exit(EXIT_AT_ONCE)

    def begin_as_wanted(self) -> None:
        """End the worker because somebody has asked for it by a command."""
        self.wanted.set()
        self.begin()

    def begin(self) -> None:
        """Drain for another reason than a signal. The next signal still counts as the first one."""
        self._apply(WorkerEvent.END_NEEDED)

    def _apply(self, event: WorkerEvent) -> None:
        self._state, commands = worker_step(self._state, event)
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: WorkerCommand) -> None:
        work = self._work
        match command:
            case WorkerCommand.STOP_POLLING:
                self._drain()
            case WorkerCommand.KILL_JOBS if work is not None:
                work.kill_jobs()
            case WorkerCommand.DELIVER_REST if work is not None:
                self._take_step(
                    work.deliver_rest(), "delivery of the last results", WorkerEvent.RESULTS_DELIVERED
                )
            case WorkerCommand.UNREGISTER if work is not None:
                self._take_step(work.unregister(), "unregistration", WorkerEvent.UNREGISTERED)
            case WorkerCommand.EXIT:
                self._over.set()
            case WorkerCommand.EXIT_AT_ONCE:
                # The children die with this process (PDEATHSIG), and the keeper kills what they left. Claims and
                # results are in the journal.
                os._exit(EXIT_AT_ONCE)
            case _:  # during the start there is nothing to kill
                pass

    def _drain(self) -> None:
        self._notifier.send(
            "STOPPING=1",
            # This wins over TimeoutStopSec=: the jobs get their full time.
            extended_by(self._timeout + END_SECONDS),
            f"STATUS=stopping, at most {self._timeout:g} s for running jobs",
        )
        self.asked.set()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._timeout, self._apply, WorkerEvent.DRAIN_TIMED_OUT)
        if self._work is not None:
            self._end_work(self._work)

    def _end_work(self, work: Work) -> None:
        work.stop_polling()
        self._take_step(work.wait_for_jobs(), "wait for the last jobs", WorkerEvent.JOBS_ENDED)

    def _take_step(self, step: Coroutine[Any, Any, None], name: str, event: WorkerEvent) -> None:
        task = self._steps.start(step, name)
        task.add_done_callback(lambda done: None if done.cancelled() else self._apply(event))
