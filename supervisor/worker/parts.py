"""The parts of a running worker, for code that must look at all of them.

Only type checkers need the names of their classes: the control socket listens before those are imported.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supervisor.worker.readiness import ReadinessFacts, Reason
from supervisor.worker.status import Facts

if TYPE_CHECKING:
    from supervisor.job.runner import JobRunner
    from supervisor.journal import Ledger
    from supervisor.settings.run_settings import DaemonSettings
    from supervisor.worker.delivery import Delivery
    from supervisor.worker.dispatch import Dispatcher
    from supervisor.worker.heartbeat import Heartbeat
    from supervisor.worker.intake import Intake
    from supervisor.worker.poller import Poller
    from supervisor.worker.registration import Registration
    from supervisor.worker.reload import Reload
    from supervisor.worker.shutdown import Shutdown
    from supervisor.worker.status import Status


@dataclass(frozen=True, slots=True)
class Parts:
    """They exist from the worker's first poll to its end."""

    settings: DaemonSettings
    """The settings at the start: a reload changes `runner.settings`."""
    journal: Ledger
    registration: Registration
    heartbeat: Heartbeat
    delivery: Delivery
    runner: JobRunner
    dispatcher: Dispatcher
    poller: Poller
    intake: Intake
    shutdown: Shutdown
    status: Status
    reload: Reload
    started_at: float = field(default_factory=time.time)
    """In seconds since the epoch."""

    @property
    def readiness(self) -> ReadinessFacts:
        """The facts for `supervisor.worker.readiness`."""
        return readiness_facts(
            self.registration,
            self.heartbeat,
            self.delivery,
            self.runner,
            self.dispatcher,
            self.poller,
            self.intake,
            stopping=self.shutdown.asked.is_set(),
        )

    @property
    def engine_silent_seconds(self) -> float | None:
        """For how long the engine is not reached; `None` if it is."""
        sources = (self.poller, self.heartbeat) if self.intake.is_open else (self.heartbeat,)
        since = [each.problem_since for each in sources if each.problem_since is not None]
        return time.monotonic() - min(since) if since else None


def engine_problem(poller: Poller, heartbeat: Heartbeat, asks_for_jobs: bool) -> str | None:
    """Return why the engine was not reached the last time. A worker that does not poll knows it from the heartbeat."""
    return (poller.problem if asks_for_jobs else None) or heartbeat.problem


def readiness_facts(
    registration: Registration,
    heartbeat: Heartbeat,
    delivery: Delivery,
    runner: JobRunner,
    dispatcher: Dispatcher,
    poller: Poller,
    intake: Intake,
    *,
    stopping: bool = False,
) -> ReadinessFacts:
    """Return the facts for `supervisor.worker.readiness`."""
    closed = intake.why_closed
    return ReadinessFacts(
        stopping=stopping,
        child_problem=runner.problem,
        slots=dispatcher.slots,
        engine_problem=engine_problem(poller, heartbeat, intake.is_open),
        delivery_problem=delivery.problem,
        blocks_problem=registration.problem,
        intake=None if closed is None else Reason(intake.state.mode.value, closed.rstrip(".")),
    )


def status_facts(
    journal: Ledger, registration: Registration, readiness: Callable[[], ReadinessFacts]
) -> Facts:
    """Return the facts for systemd's status. It is not sent any more when the worker stops."""
    return Facts(
        len(registration.accepted),
        registration.uuid,
        readiness(),
        journal_in_trouble=journal.is_in_trouble,
    )
