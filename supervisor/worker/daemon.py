"""The daemon: puts the parts together, lets them work, and takes them apart in the right order."""

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from jobrunner.protocol import linux
from jobrunner.protocol.catalogue import Catalogue
from supervisor.engine import EngineApi
from supervisor.engine.access import access_of
from supervisor.errors import StartRefusedError, StateDirectoryError
from supervisor.job.runner import JobRunner
from supervisor.journal import Ledger
from supervisor.launcher import Launcher
from supervisor.lifecycle.intake import Left
from supervisor.log.event import tell
from supervisor.log.events.blocks import BlockLimitLowered
from supervisor.log.events.worker import (
    ReloadIgnored,
    ReloadStarted,
    TaskFailed,
    WorkerStopped,
)
from supervisor.process.cgroups.worker import Cgroups, cgroups_of_worker
from supervisor.process.tasks import Tasks, done_before
from supervisor.process.threads import END_SECONDS, end_pool, started_pool
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control.socket import Control
from supervisor.worker.delivery import Delivery
from supervisor.worker.dispatch import Dispatcher
from supervisor.worker.end_steps import EndSteps
from supervisor.worker.health.health import Health
from supervisor.worker.heartbeat import Heartbeat
from supervisor.worker.intake import Intake
from supervisor.worker.isolation_report import tell_isolation
from supervisor.worker.job_parts import (
    dispatcher_of,
    lost_claims_of,
    recovery_of,
    registration_of,
    runner_of,
)
from supervisor.worker.job_users import prepare_job_users
from supervisor.worker.notify import Notifier
from supervisor.worker.offered_blocks import (
    start_launcher,
    tell_hyphens,
    tell_left_out,
    tell_problem,
    what_to_do,
    with_slots_set,
)
from supervisor.worker.outbox import Outbox
from supervisor.worker.parts import Parts, status_facts
from supervisor.worker.poller import TURN_SECONDS, Poller
from supervisor.worker.progress import Progress
from supervisor.worker.registration import Registration
from supervisor.worker.reload import Reload
from supervisor.worker.shutdown import Shutdown
from supervisor.worker.signals import keeper_lost, leave_nothing_alive, stop_signals
from supervisor.worker.status import Status

_log = logging.getLogger(__name__)

START_MARGIN_SECONDS: Final = 180.0
"""What a start may take beyond the import of the blocks and the wait for the engine."""


class Daemon:
    """One worker, from its start to its exit code."""

    def __init__(
        self,
        settings: DaemonSettings,
        notifier: Notifier,
        read_settings: Callable[[], Awaitable[DaemonSettings]],
    ) -> None:
        self._settings = settings
        self._notifier = notifier
        self._read_settings = read_settings
        self._reload_asked = asyncio.Event()
        self._tasks = Tasks(self._stop_without)
        self._shutdown = Shutdown(settings.shutdown_timeout_seconds, notifier, self._stop_without)
        self._control = Control(settings)
        self._health = Health(settings)
        self._exit_code = 0
        self._progress = Progress(notifier)
        longest_try_seconds = 2 * settings.request_timeout_seconds + TURN_SECONDS
        self._outbox = Outbox(longest_try_seconds=longest_try_seconds)

    async def run(self) -> int:
        """Work until told to stop. Returns the exit code. Raises `SupervisorError` when it can't start."""
        linux.become_subreaper()
        linux.forbid_inspection()
        # Whatever TimeoutStartSec= says: neither a long import nor the wait for an engine is cut off.
        longest = self._settings.import_seconds + self._settings.startup_retry_seconds + START_MARGIN_SECONDS
        self._notifier.send(f"EXTEND_TIMEOUT_USEC={int(longest * 1e6)}")
        # For `asyncio.to_thread`, and for the names that aiohttp looks up. As many as asyncio would start by and by.
        threads = min(32, (os.cpu_count() or 1) + 4)
        pool = started_pool(threads, "asyncio")
        asyncio.get_running_loop().set_default_executor(pool)
        stop, stop_at_once = self._shutdown.on_signal, self._shutdown.end_at_once
        with stop_signals(stop, self._on_hangup, stop_at_once), keeper_lost(leave_nothing_alive):
            try:
                return await self._with_threads()
            finally:
                await end_pool(pool, END_SECONDS)

    async def _with_threads(self) -> int:
        state_dir = self._settings.state_dir
        journal = await Ledger.open(state_dir)
        try:
            async with (
                self._control.serving(),
                self._health.serving(),
                cgroups_of_worker(state_dir, self._settings.cgroups == "auto") as cgroups,
            ):
                return await self._with_journal(journal, cgroups)
        finally:
            await journal.close()

    async def _with_journal(self, journal: Ledger, cgroups: Cgroups) -> int:
        users = await prepare_job_users(self._settings, spares=self._settings.spares)
        launcher, catalogue = await start_launcher(self._settings, users)
        try:
            self._check_catalogue(catalogue)
            catalogue = with_slots_set(catalogue, self._settings)
            tell_isolation(self._settings)
            _leave_out_of_collections()
            engine = EngineApi(access_of(self._settings))
            try:
                return await self._with_engine(journal, launcher, catalogue, engine, cgroups)
            finally:
                await engine.close()
        finally:
            await launcher.close()

    async def _with_engine(
        self,
        journal: Ledger,
        launcher: Launcher,
        catalogue: Catalogue,
        engine: EngineApi,
        cgroups: Cgroups,
    ) -> int:
        settings = self._settings
        registration = registration_of(settings, engine, journal, catalogue)
        if not await self._register(registration):
            return 0
        observer = self._health.observer
        beats = Heartbeat(engine, registration, settings.heartbeat_seconds, engine.answering, observer)
        self._tasks.start(beats.beat_for_ever(), "heartbeat")
        self._tasks.keep(self._progress.keep, "watch over the worker's progress")
        delivery = Delivery(engine, journal, self._outbox, engine.answering, observer)
        runner = runner_of(settings, launcher, cgroups)
        dispatcher = dispatcher_of(settings, runner, journal, delivery, engine, catalogue, observer)
        intake = Intake(
            lambda: Left(dispatcher.busy, delivery.waiting, poller.asks),
            dispatcher.changed.set,
            self._shutdown.begin,
        )
        try:
            await self._prepare(runner)
            await recovery_of(settings, journal, delivery, engine, dispatcher.records).begin()
            lost_claims = lost_claims_of(engine, dispatcher, came_back=registration.came_back)
            poller = Poller(
                engine,
                registration,
                dispatcher,
                lost_claims,
                settings.poll_seconds,
                delivery,
                may_claim=lambda: intake.is_open,
                observer=observer,
            )
            facts = partial(status_facts, registration, dispatcher, runner, poller, beats, delivery, intake)
            status = Status(self._notifier, facts, self._shutdown.asked)
            reload = Reload(settings, self._read_settings, launcher, runner, dispatcher, registration, status)
            self._progress.watch_worker(beats, poller, runner, self._outbox)
            parts = (settings, journal, registration, beats, delivery, runner, dispatcher, poller)
            self._offer(Parts(*parts, intake, self._shutdown, status, reload))
            polling = self._tasks.start(poller.poll_until_stopped(), "poller")
            self._say_how_it_is(status, runner, dispatcher)
            reloading = self._tasks.start(reload.reload_when_asked(self._reload_asked), "reload")
            await self._shutdown.work(
                EndSteps(polling, reloading, poller, runner, dispatcher, delivery, registration)
            )
            tell(_log, WorkerStopped())
        finally:
            await self._tasks.close()
            await intake.close()
            await delivery.close()
            await runner.close()
            await dispatcher.records.close()
        return self._exit_code

    async def _register(self, registration: Registration) -> bool:
        """Register, unless told to stop meanwhile. Returns whether this worker is registered."""
        beginning = registration.begin(self._settings.startup_retry_seconds)
        if not await done_before(beginning, self._shutdown.asked):
            return False
        if registration.refused and self._settings.require_all_blocks:
            reasons = "; ".join(registration.refused.values())
            raise StartRefusedError(f"Blocks were refused by the engine: {reasons}")
        if not registration.accepted:
            raise StartRefusedError("The engine accepted none of the blocks; see the errors above.")
        return True

    def _offer(self, parts: Parts) -> None:
        self._control.offer(parts)
        self._health.offer(parts, self._progress)

    async def _prepare(self, runner: JobRunner) -> None:
        try:
            await runner.prepare()
        except OSError as error:
            raise StateDirectoryError(f"The jobs' directories can't be made: {error}.") from error

    def _stop_without(self, name: str, error: BaseException) -> None:
        """Drain and exit with 1: what must run for as long as the worker does has failed."""
        tell(_log, TaskFailed(task=name, consequence="The worker stops."), error=error)
        self._exit_code = 1
        self._shutdown.begin()

    def _on_hangup(self) -> None:
        if self._shutdown.asked.is_set():
            tell(_log, ReloadIgnored())
            return
        tell(_log, ReloadStarted(asked="SIGHUP"))
        self._reload_asked.set()

    def _say_how_it_is(self, status: Status, runner: JobRunner, dispatcher: Dispatcher) -> None:
        def capacity_changed(_: str | None) -> None:
            dispatcher.changed.set()  # whoever waits for a slot may find one
            status.look()

        runner.tell_capacity(capacity_changed)
        status.begin()
        self._tasks.keep(status.keep, "status")

    def _check_catalogue(self, catalogue: Catalogue) -> None:
        for problem in catalogue.problems:
            tell_problem(problem)
        tell_left_out(catalogue)
        tell_hyphens(catalogue)
        for block in catalogue.blocks:
            if block.max_seconds and block.max_seconds > self._settings.max_job_seconds:
                asked, limit = block.max_seconds, self._settings.max_job_seconds
                tell(_log, BlockLimitLowered(block=block.id, asked_seconds=asked, limit_seconds=limit))
        missing = [problem for problem in catalogue.problems if problem.kind == "source"]
        if missing or (catalogue.problems and self._settings.require_all_blocks):
            reasons = "; ".join(map(str, missing or catalogue.problems))
            raise StartRefusedError(f"Not started: {reasons}")
        if not catalogue.blocks:
            raise StartRefusedError(
                f"No function blocks were found in {', '.join(self._settings.function_blocks)}. "
                f"{what_to_do(catalogue)}"
            )


def _leave_out_of_collections() -> None:
    """Have the garbage collector look no more at what was imported: 80,000 objects, which are there to the end.

    It does so whenever a job brought many objects, and each time held the loop for 50 ms.
    """
    gc.collect()
    gc.freeze()
