"""A worker with its blocks: registers with the engine, polls for jobs, and ends its parts at its end.

It is imported while the template imports the blocks (`supervisor.worker.daemon`): it imports most of the worker.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from jobrunner.protocol.catalogue import Catalogue
from supervisor.engine import EngineApi
from supervisor.engine.access import access_of
from supervisor.errors import StartRefusedError, StateDirectoryError
from supervisor.job.runner import JobRunner
from supervisor.journal import Ledger
from supervisor.launcher import Launcher
from supervisor.lifecycle.intake import Left
from supervisor.log.event import tell
from supervisor.log.events.worker import WorkerStopped
from supervisor.process.cgroups.worker import Cgroups
from supervisor.process.tasks import Tasks, done_before
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control.socket import Control
from supervisor.worker.control.table import commands_of
from supervisor.worker.delivery import Delivery
from supervisor.worker.dispatch import Dispatcher
from supervisor.worker.end_steps import EndSteps
from supervisor.worker.health.health import Health
from supervisor.worker.heartbeat import Heartbeat
from supervisor.worker.intake import Intake
from supervisor.worker.job_parts import (
    dispatcher_of,
    poller_of,
    recovery_of,
    registration_of,
    runner_of,
)
from supervisor.worker.kept_intake import INTAKE_FACT, restore_when_read, take_kept
from supervisor.worker.notify import Notifier
from supervisor.worker.outbox import Outbox
from supervisor.worker.parts import Parts, readiness_facts, status_facts
from supervisor.worker.poller import TURN_SECONDS
from supervisor.worker.progress import Progress
from supervisor.worker.registration import Registration
from supervisor.worker.reload import Reload
from supervisor.worker.removed_files import let_go_while_in_trouble
from supervisor.worker.shutdown import Shutdown
from supervisor.worker.status import Status

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """The parts that a worker has from its start, and its work once its blocks are imported."""

    settings: DaemonSettings
    notifier: Notifier
    read_settings: Callable[[], Awaitable[DaemonSettings]]
    reload_asked: asyncio.Event
    tasks: Tasks
    """Tasks that must run as long as the worker. `run` ends them."""
    shutdown: Shutdown
    control: Control
    health: Health

    async def run(self, journal: Ledger, launcher: Launcher, catalogue: Catalogue, cgroups: Cgroups) -> None:
        """Work until told to stop. Raises `SupervisorError` if it can't start."""
        engine = EngineApi(access_of(self.settings))
        try:
            await self._with_engine(journal, launcher, catalogue, engine, cgroups)
        finally:
            await engine.close()

    async def _with_engine(
        self,
        journal: Ledger,
        launcher: Launcher,
        catalogue: Catalogue,
        engine: EngineApi,
        cgroups: Cgroups,
    ) -> None:
        settings = self.settings
        registration = registration_of(settings, engine, journal, catalogue)
        kept = await take_kept(journal)  # before the registration: that ends the doubt whether this is a copy
        if not await self._register(registration):
            return
        progress = Progress(self.notifier)
        outbox = Outbox(longest_try_seconds=2 * settings.request_timeout_seconds + TURN_SECONDS)
        observer = self.health.observer
        beats = Heartbeat(engine, registration, settings.heartbeat_seconds, engine.answering, observer)
        self.tasks.start(beats.beat_for_ever(), "heartbeat")
        self.tasks.keep(progress.keep, "watch over the worker's progress")
        delivery = Delivery(engine, journal, outbox, engine.answering, observer)
        runner = runner_of(settings, launcher, cgroups)
        dispatcher = dispatcher_of(settings, runner, journal, delivery, engine, catalogue, observer)
        self.health.name_blocks(lambda block_id: dispatcher.catalogue.find(block_id) is not None)
        intake = self._intake(
            journal, dispatcher, lambda: Left(dispatcher.busy, delivery.waiting, poller.asks)
        )
        try:
            await _prepare(runner)
            await recovery_of(settings, journal, delivery, engine, dispatcher.records, observer).begin()
            poller = poller_of(
                settings, engine, journal, registration, dispatcher, delivery, intake, observer, progress
            )
            parts = (registration, beats, delivery, runner, dispatcher, poller, intake)
            facts = partial(status_facts, journal, registration, partial(readiness_facts, *parts))
            status = Status(self.notifier, facts, self.shutdown.asked, progress.pause.wait)
            reload = Reload(settings, self.read_settings, launcher, runner, dispatcher, registration, status)
            progress.watch_worker(beats, poller, runner, outbox)
            intake.restore(kept)
            self._begin_beside(Parts(settings, journal, *parts, self.shutdown, status, reload), progress)
            polling = self.tasks.start(poller.poll_until_stopped(), "poller")
            self._say_how_it_is(status, runner, dispatcher)
            reloading = self.tasks.start(reload.reload_when_asked(self.reload_asked), "reload")
            await self.shutdown.work(EndSteps(polling, reloading, poller, dispatcher, delivery, registration))
            tell(_log, WorkerStopped())
        finally:
            await self.tasks.close()
            await intake.close()
            await delivery.close()
            await runner.close()
            await dispatcher.records.close()

    def _intake(self, journal: Ledger, dispatcher: Dispatcher, left: Callable[[], Left]) -> Intake:
        keep = partial(journal.remember, INTAKE_FACT)
        end, is_stopping = self.shutdown.begin_as_wanted, self.shutdown.wanted.is_set
        is_kept = partial(journal.is_on_disk, INTAKE_FACT)
        return Intake(left, dispatcher.changed.set, end, keep=keep, is_kept=is_kept, is_stopping=is_stopping)

    async def _register(self, registration: Registration) -> bool:
        """Register, unless told to stop meanwhile. Returns whether this worker is registered."""
        beginning = registration.begin(self.settings.startup_retry_seconds)
        if not await done_before(beginning, self.shutdown.asked):
            return False
        if registration.refused and self.settings.require_all_blocks:
            reasons = "; ".join(registration.refused.values())
            raise StartRefusedError(f"Blocks were refused by the engine: {reasons}")
        if not registration.accepted:
            raise StartRefusedError("The engine accepted none of the blocks; see the errors above.")
        return True

    def _begin_beside(self, parts: Parts, progress: Progress) -> None:
        if not parts.journal.knows_the_last_run:
            self.tasks.start(restore_when_read(parts.journal, parts.intake), "pause of the last run")
        self.control.offer(commands_of(parts))
        self.health.offer(parts, progress)
        letting_go = partial(let_go_while_in_trouble, parts.journal, parts.runner.let_removed_files_go)
        self.tasks.keep(letting_go, "letting go of removed files")

    def _say_how_it_is(self, status: Status, runner: JobRunner, dispatcher: Dispatcher) -> None:
        def capacity_changed(_: str | None) -> None:
            dispatcher.changed.set()  # a job that waits for a slot may find one
            status.look()

        runner.tell_capacity(capacity_changed)
        status.begin()
        self.tasks.keep(status.keep, "status")


async def _prepare(runner: JobRunner) -> None:
    try:
        await runner.prepare()
    except OSError as error:
        raise StateDirectoryError(f"The jobs' directories can't be made: {error}.") from error
