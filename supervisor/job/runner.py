"""A job from claim to verdict: a directory, a child, an execution. The same for the daemon and `run-block`."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.masking import Mask
from jobrunner.protocol.messages import Order
from supervisor.errors import LaunchError
from supervisor.job.clearing import wait_until_gone
from supervisor.job.device_sessions import SessionDesk
from supervisor.job.directories import JobDirectories
from supervisor.job.execution import Execution
from supervisor.job.host_key_reports import JobHostKeys
from supervisor.job.host_keys.store import HostKeyStore
from supervisor.job.job import Job, backstop, limits_for, order_of
from supervisor.job.mask import mask_and_endpoints, secret_names_of
from supervisor.job.result import Finished, not_run
from supervisor.job.tidying import Tidying
from supervisor.job.view import JobView
from supervisor.job.watchers import Watchers
from supervisor.launcher import Child, Launcher, SparePool
from supervisor.launcher.sweep import Sweeper
from supervisor.process.cgroups.worker import Cgroups
from supervisor.process.long_work import LongWork
from supervisor.process.tasks import Tasks
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import Limits, Verdict, refusals
from supervisor.watch.cpu import CpuWatch
from supervisor.watch.joblog import JobLog, LineHearer
from supervisor.watch.process_counter import ProcessCounter
from supervisor.watch.sampler import Sampler
from supervisor.watch.stack_on_demand import StackSeen
from supervisor.watch.stall import LoopReports

_log = logging.getLogger(__name__)

START_SECONDS: Final = 30.0
"""How long a job waits for its child at most: if starts fail, it is given back sooner."""


async def _at_once() -> None:
    return


class JobRunner:
    """Runs jobs, each in a child of its own. Knows no engine and no journal."""

    def __init__(
        self,
        launcher: Launcher,
        settings: RunSettings,
        directory: Path,
        *,
        spares: int,
        cgroups: Cgroups | None = None,
        host_keys: HostKeyStore | None = None,
    ) -> None:
        self.settings = settings
        self.start_seconds = START_SECONDS
        self._directories = JobDirectories(directory, spares)
        self._spares = SparePool(launcher, spares, cgroups)
        self._spares.on_ready = lambda child: self._directories.make_ahead(child.user)
        self._sweeper = Sweeper(launcher)
        self._session_desk = SessionDesk(settings.sessions_per_device)
        self._watchers = Watchers(Sampler(), ProcessCounter(), CpuWatch())
        self._tidying = Tidying(lambda: self._directories, self._spares.refill)
        self._running: dict[str, Execution] = {}
        self._long_work = LongWork()
        # Without a store, for a single run: keys that devices show are known until its end.
        self._host_keys = HostKeyStore(None, settings.known_hosts) if host_keys is None else host_keys
        self._stopping = False
        self._cancelled: set[str] = set()
        self._outlasting = Tasks()

    @property
    def room(self) -> int | None:
        """How many more jobs could get a child now, `None` for any number: see `supervisor.lifecycle.capacity`."""
        return self._spares.room

    @property
    def problem(self) -> str | None:
        """Why no job could get a child now, `None` if one could; empty while the first one is on its way."""
        return self._spares.problem

    @property
    def due_at(self) -> float | None:
        """By when a start of a child must have ended, in seconds of the loop's clock (`worker.progress`)."""
        return self._spares.due_at

    @property
    def spares_ready(self) -> int:
        """How many children wait for a job now."""
        return self._spares.ready

    def view(self, job_id: str) -> JobView | None:
        """Return what is known now of a job that has a child, `None` if no such job has this id."""
        execution = self._running.get(job_id)
        return None if execution is None else execution.view()

    def tell_capacity(self, told: Callable[[str | None], None]) -> None:
        """From now on, call `told` at each change of `problem`."""
        self._spares.on_capacity = told

    async def prepare(self) -> None:
        """Make the directory of the jobs' directories, read the host keys and start the spares.

        Raises `OSError`, and `SupervisorError` if the host keys can't be read.
        """
        await self._directories.prepare()
        await self._host_keys.open()
        self._spares.refill()
        self._sweeper.look_for_strays()

    async def run(
        self,
        job: Job,
        block: BlockEntry,
        on_start: Callable[[int], None] = lambda pid: None,
        on_gone: Callable[[], None] = lambda: None,
        on_line: LineHearer | None = None,
        before_begin: Callable[[], Awaitable[None]] = _at_once,
        on_outcome: Callable[[Finished], None] = lambda finished: None,
        offered: Callable[[], BlockEntry | Verdict] | None = None,
    ) -> Finished:
        """Run one job to its verdict. Nothing that a job does makes it raise. Don't cancel it: see `stop_all`.

        `on_start` gets the pid of the job's child. If a process of the job can't be killed (`Finished.stuck`),
        `on_gone` is called when it is gone, if ever. `on_line` gets each line of the job, masked. `before_begin` is
        awaited when all is ready, right before the job may begin. `on_outcome` gets how the job will end if nothing
        else happens to it, as soon as that is known, while its child still ends. `offered` returns the block as it is
        offered now, or why it is not: a child that comes after a reload knows only the new code.
        """
        mask, host_keys = await self._mask_and_host_keys(job, block)
        if why := self._why_not(job.job_id):
            return not_run(why)
        try:
            child = await self._spares.take(self.start_seconds)
        except LaunchError as error:
            said = f"\nLast output:\n{error.evidence.rstrip()}" if error.evidence else ""
            return not_run(refusals.start_failed(mask(f"{error}{said}")))
        try:
            now = self._why_not(job.job_id) or (block if offered is None else offered())
            if isinstance(now, Verdict):
                child.discard()
                return not_run(now)
            if now is not block:
                block = now
                mask, host_keys = await self._mask_and_host_keys(job, block)
            directory = await self._directories.take(child.user)
        except BaseException as error:
            child.discard()
            if isinstance(error, OSError):
                self._spares.refill()
                return not_run(refusals.start_failed(mask(f"its directory can't be made: {error}")))
            raise
        try:
            limits = limits_for(self.settings, block)
            order = order_of(job, self.settings, limits, host_keys.policy, directory)
            # This comes first: the child prepares while the rest is done here, and the claim is written.
            child.channel.send(order.pack())
            on_start(child.pid)
            log = JobLog(job.job_id, job.block_id, mask, job.step_label, self._long_work, on_line)
            return await self._run_in(
                child, job, block, limits, order, log, host_keys, on_gone, before_begin, on_outcome
            )
        except BaseException as error:
            child.discard(had_job=True)
            if isinstance(error, LaunchError):
                return not_run(refusals.start_failed(mask(str(error))))
            raise
        finally:
            # No result waits for it, this job's or another's. Only its slot does (`wait_until_tidy`).
            self._tidying.owe(job.job_id, directory)

    async def wait_until_tidy(self, job_id: str) -> None:
        """Start the next child, and wait until the directory of a finished job is gone: then its space is free.

        Call it when the result is on its way. Takes seconds at most.
        """
        await self._tidying.wait(job_id)

    async def _run_in(
        self,
        child: Child,
        job: Job,
        block: BlockEntry,
        limits: Limits,
        order: Order,
        log: JobLog,
        host_keys: JobHostKeys,
        on_gone: Callable[[], None],
        before_begin: Callable[[], Awaitable[None]],
        on_outcome: Callable[[Finished], None],
    ) -> Finished:
        child.cgroup.set_limits(limits.memory_mb, backstop(limits.processes))
        reports = LoopReports(
            child,
            log,
            block_id=job.block_id,
            block_file=block.file,
            blocking_seconds=self.settings.blocking_seconds,
        )
        parts = (self._sweeper, self._watchers, limits, log, reports, self._session_desk)
        execution = Execution(child, *parts, host_keys.heard, on_outcome)
        self._running[job.job_id] = execution
        try:
            execution.prepare()
            payload = job.payload(host_keys.known)
            await before_begin()
            if why := self._why_not(job.job_id):
                child.discard()
                return not_run(why)
            finished = await execution.run(payload, order.result_cap_bytes)
        finally:
            execution.give_up()
            self._running.pop(job.job_id, None)
        if finished.stuck:
            self._outlasting.start(
                self._outlast(execution, child, order.job_directory, on_gone), "end of a stuck job"
            )
        elif child.user is None:
            self._tidying.close_later(job.job_id, child.close)
        else:
            self._release(child, order.job_directory)
        return finished

    async def _mask_and_host_keys(self, job: Job, block: BlockEntry) -> tuple[Mask, JobHostKeys]:
        names, policy = secret_names_of(self.settings), self.settings.host_keys
        mask, endpoints = await mask_and_endpoints(job, names, block.sensitive_parameters, self._long_work)
        known = await self._host_keys.keys_of(endpoints) if endpoints and policy != "off" else []
        return mask, JobHostKeys(self._host_keys, job.job_id, policy, endpoints, known)

    def _release(self, child: Child, directory: str) -> None:
        if child.user is not None:
            # The user may run another job once it is given back.
            self._directories.take_back(directory, child.on_closed)
            child.on_closed = lambda: None
        child.close()

    async def _outlast(
        self, execution: Execution, child: Child, directory: str, on_gone: Callable[[], None]
    ) -> None:
        await wait_until_gone(child, self._sweeper, execution.processes)
        self._release(child, directory)
        # The process may have written until now.
        await self._directories.wait_for_removal(self._directories.remove(directory))
        on_gone()

    async def stack(self, job_id: str) -> StackSeen | None:
        """Return where a job that runs in its child is, for a person; `None` if there is no such job."""
        execution = self._running.get(job_id)
        return None if execution is None else await execution.stack()

    def let_removed_files_go(self) -> None:
        """Release files that were removed beside paths which are closed to jobs: this frees their space."""
        self._spares.look_anew()

    def renew(self, settings: RunSettings) -> None:
        """From now on, run jobs with these settings, in children with the current code."""
        self.settings = settings
        self._session_desk.set_limit(settings.sessions_per_device)
        self._host_keys.use(settings.known_hosts)
        self._spares.renew()
        self._sweeper.look_for_strays()

    def _why_not(self, job_id: str) -> Verdict | None:
        """Return why a job must not begin now. Called again each time: it changes during other waits."""
        if self._stopping:
            return refusals.worker_stopping()
        return refusals.cancelled() if job_id in self._cancelled else None

    def cancel(self, job_id: str) -> None:
        """End a job of `run` for an operator. A job that is ending already ends as it does. `forget` must follow."""
        self._cancelled.add(job_id)
        if (execution := self._running.get(job_id)) is not None:
            execution.cancel()

    def forget(self, job_id: str) -> None:
        """Note that this job is over: the engine may give this id again, as a retry."""
        self._cancelled.discard(job_id)

    def stop_all(self) -> None:
        """End every running job now, with the cause `worker_stopping`; jobs that come later are not run."""
        self._stopping = True
        for execution in self._running.values():
            execution.stop()

    async def close(self) -> None:
        """End the spares and stop watching. Running jobs must have ended; the keeper gets what can't be killed."""
        await self._outlasting.close()
        await self._sweeper.close()
        await self._spares.close()
        self._tidying.begin_all()
        await self._watchers.close()
        await self._directories.close()
        await self._host_keys.close()
