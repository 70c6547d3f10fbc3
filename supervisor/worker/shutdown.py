"""Stopping: signals go into the worker's state machine, and what it decides is carried out here."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

from supervisor.lifecycle.worker import WorkerCommand, WorkerEvent, WorkerState, worker_step
from supervisor.worker.notify import Notifier

_log = logging.getLogger(__name__)

EXIT_AT_ONCE: Final = 130
_ANNOUNCEMENTS: Final = {
    1: "Stopping: no new jobs, running ones may go on for {seconds:g} s. Once more kills them.",
    2: "Stopping now: running jobs are killed and reported. Once more leaves at once.",
    3: "Leaving at once: the next start reports what was interrupted.",
}


class Shutdown:
    """Where the worker is on its way out. ``asked`` is set with the first signal.

    ``stop_polling`` and ``kill_jobs`` are set by whoever has a poller and jobs to stop; before, there are none.
    """

    def __init__(self, timeout_seconds: float, notifier: Notifier) -> None:
        self.asked = asyncio.Event()
        self.stop_polling: Callable[[], None] = lambda: None
        self.kill_jobs: Callable[[], None] = lambda: None
        self._timeout = timeout_seconds
        self._notifier = notifier
        self._state = WorkerState()
        self._timer: asyncio.TimerHandle | None = None

    def on_signal(self, number: signal.Signals) -> None:
        """Take a signal to stop, and announce what it does."""
        announcement = _ANNOUNCEMENTS.get(self._state.signals + 1)
        if announcement is not None:
            text = f"{number.name}. {announcement.format(seconds=self._timeout)}"
            if self._state.signals + 1 < 3:
                _log.warning("%s", text)
            else:
                # Not to the log, whose thread will not get to it any more.
                os.write(sys.stderr.fileno(), f"supervisor: {text}\n".encode())
        self.apply(WorkerEvent.SIGNALLED)

    def begin(self) -> None:
        """Drain for another reason than a signal."""
        if self._state.polls:
            self.apply(WorkerEvent.SIGNALLED)

    def apply(self, event: WorkerEvent) -> None:
        """Feed the state machine and carry out its commands."""
        self._state, commands = worker_step(self._state, event)
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: WorkerCommand) -> None:
        match command:
            case WorkerCommand.STOP_POLLING:
                self._drain()
            case WorkerCommand.KILL_JOBS:
                self.kill_jobs()
            case WorkerCommand.EXIT_AT_ONCE:
                # The children die with this process (PDEATHSIG), what they left by the keeper; claims and results
                # are in the journal.
                os._exit(EXIT_AT_ONCE)
            case WorkerCommand.DELIVER_REST | WorkerCommand.UNREGISTER:
                pass  # the daemon goes on to it by itself

    def _drain(self) -> None:
        self._notifier.send("STOPPING=1", f"STATUS=stopping, at most {self._timeout:g} s for running jobs")
        self.stop_polling()
        self.asked.set()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._timeout, self.apply, WorkerEvent.DRAIN_TIMED_OUT)
