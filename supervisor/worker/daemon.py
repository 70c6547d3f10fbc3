"""The daemon: puts the parts together, lets them work, and ends them in the right order."""

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Final

from jobrunner.protocol import linux
from jobrunner.protocol.catalogue import Catalogue
from jobrunner.protocol.importing import import_uncollected
from supervisor.errors import StartRefusedError
from supervisor.journal import Ledger
from supervisor.launcher import Launcher
from supervisor.launcher.job_users import JobUsers
from supervisor.log.event import tell
from supervisor.log.events.blocks import BlockLimitLowered
from supervisor.log.events.worker import ReloadIgnored, ReloadStarted, TaskFailed
from supervisor.process.cgroups.worker import Cgroups, cgroups_of_worker
from supervisor.process.tasks import Tasks, done_before
from supervisor.process.threads import END_SECONDS, end_pool, started_pool
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control.socket import Control
from supervisor.worker.health.health import Health
from supervisor.worker.isolation_report import tell_isolation
from supervisor.worker.job_users import prepare_job_users
from supervisor.worker.kept_intake import forgotten_when_stopped
from supervisor.worker.notify import Notifier, extended_by
from supervisor.worker.offered_blocks import (
    start_launcher,
    tell_hyphens,
    tell_left_out,
    tell_problem,
    what_to_do,
    with_slots_set,
)
from supervisor.worker.shutdown import Shutdown
from supervisor.worker.signals import keeper_lost, leave_nothing_alive, stop_signals

_log = logging.getLogger(__name__)

START_MARGIN_SECONDS: Final = 180.0
"""How long a start may take besides the import of the blocks and the wait for the engine."""


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

    async def run(self) -> int:
        """Work until told to stop. Returns the exit code. Raises `SupervisorError` if it can't start."""
        linux.become_subreaper()
        linux.forbid_inspection()
        # This wins over TimeoutStartSec=: systemd must not cut off a long import or the wait for an engine.
        longest = self._settings.import_seconds + self._settings.startup_retry_seconds + START_MARGIN_SECONDS
        self._notifier.send(extended_by(longest))
        # For `asyncio.to_thread`. As many threads as asyncio would start over time.
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
                forgotten_when_stopped(journal, self._shutdown.wanted),
                self._control.serving(),
                self._health.serving(),
                cgroups_of_worker(state_dir, self._settings.cgroups == "auto") as cgroups,
            ):
                return await self._with_journal(journal, cgroups)
        finally:
            await journal.close()

    async def _with_journal(self, journal: Ledger, cgroups: Cgroups) -> int:
        users = await prepare_job_users(self._settings, spares=self._settings.spares)
        importing = self._tasks.start(_import_serving(), "import of the worker's modules")
        try:
            started = await self._start_launcher(users)
        except BaseException:
            await self._tasks.close()
            raise
        if started is None:
            await self._tasks.close()
            return self._exit_code
        launcher, catalogue = started
        try:
            await importing
            self._check_catalogue(catalogue)
            catalogue = with_slots_set(catalogue, self._settings)
            tell_isolation(self._settings)
            _leave_out_of_collections()
            from supervisor.worker.serving import Serving  # it is imported by now

            serving = Serving(
                self._settings,
                self._notifier,
                self._read_settings,
                self._reload_asked,
                self._tasks,
                self._shutdown,
                self._control,
                self._health,
            )
            await serving.run(journal, launcher, catalogue, cgroups)
            return self._exit_code
        finally:
            await launcher.close()

    async def _start_launcher(self, users: JobUsers | None) -> tuple[Launcher, Catalogue] | None:
        """Start the launcher, which imports the blocks. `None` if the worker is told to stop meanwhile."""
        started: list[tuple[Launcher, Catalogue]] = []

        async def start() -> None:
            started.append(await start_launcher(self._settings, users))

        await done_before(start(), self._shutdown.asked)
        return started[0] if started else None

    def _stop_without(self, name: str, error: BaseException) -> None:
        """Drain and exit with 1: a task that must run as long as the worker has failed."""
        tell(_log, TaskFailed(task=name, consequence="The worker stops."), error=error)
        self._exit_code = 1
        self._shutdown.begin()

    def _on_hangup(self) -> None:
        if self._shutdown.asked.is_set():
            tell(_log, ReloadIgnored())
            return
        tell(_log, ReloadStarted(asked="SIGHUP"))
        self._reload_asked.set()

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


async def _import_serving() -> None:
    """Import most of what a worker needs after the import of its blocks. The template's imports take as long."""
    await asyncio.sleep(0)  # in this turn of the loop, the launcher starts the template's interpreter
    await asyncio.to_thread(import_uncollected, "supervisor.worker.serving")


def _leave_out_of_collections() -> None:
    """Exclude all imported objects from garbage collection: 80,000 objects, which live to the end.

    A collection comes whenever a job brings many objects, and each one held up the loop for 50 ms.
    """
    gc.collect()
    gc.freeze()
