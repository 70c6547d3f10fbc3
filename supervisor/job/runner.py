"""A job from claim to verdict: a directory, a child, an execution. The same for the daemon and `run-block`."""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.masking import Mask
from jobrunner.protocol.messages import JobType, Order, RunOn
from supervisor.errors import LaunchError
from supervisor.job.directories import JobDirectories
from supervisor.job.execution import Execution
from supervisor.job.limits import JobLimits
from supervisor.job.redaction import mask_of
from supervisor.job.result import Finished
from supervisor.launcher import Child, Launcher, Spares
from supervisor.launcher.sweep import Sweeper
from supervisor.process.cgroups.worker import Cgroups
from supervisor.verdict import Cause, Ending, Usage, Verdict, decide
from supervisor.watch.joblog import JobLog
from supervisor.watch.loop import LoopReports
from supervisor.watch.process_counter import ProcessCounter
from supervisor.watch.sampler import Sampler

_log = logging.getLogger(__name__)

_STOPPING: Final = "Not run: this worker is shutting down."


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. ``parameters`` and ``context`` are as the engine sent them, and may hold passwords."""

    job_id: str
    block_id: str
    job_type: JobType
    run_on: RunOn
    parameters: dict[str, object]
    context: dict[str, object]
    entity_id: int | float | None = None
    step_label: str | None = None


@dataclass(frozen=True, slots=True)
class Concluded:
    """A job's verdict and what belongs to its result."""

    verdict: Verdict
    ending: Ending
    body: bytes = b""
    acquires: bytes = b""
    stuck: bool = False


class JobRunner:
    """Runs jobs, each in a child of its own. Knows no engine and no journal."""

    def __init__(
        self,
        launcher: Launcher,
        limits: JobLimits,
        directory: Path,
        *,
        spares: int,
        cgroups: Cgroups | None = None,
    ) -> None:
        self.limits = limits
        self._spares = Spares(launcher, spares, cgroups)
        self._sweeper = Sweeper(launcher)
        self._sampler = Sampler()
        self._process_counter = ProcessCounter()
        self._directories = JobDirectories(directory)
        self._running: dict[str, Execution] = {}
        self._stopping = False

    def prepare(self) -> None:
        """Make the directory of the jobs' directories and start the spares. Raises `OSError`."""
        self._directories.prepare()
        self._spares.refill()

    async def run(self, job: Job, block: BlockEntry) -> Concluded:
        """Run one job to its verdict. Raises nothing that a job can cause. Not to be cancelled: see `stop_all`."""
        mask = mask_of(job.parameters, job.context, self.limits.secret_names, block.sensitive_parameters)
        if self._is_stopping():
            return _not_run(Cause.WORKER_STOPPING, _STOPPING, retryable=True)
        try:
            child = await self._spares.take(self.limits.start_seconds)
        except LaunchError as error:
            said = f"\nLast output:\n{error.evidence.rstrip()}" if error.evidence else ""
            return _not_run(Cause.START_FAILED, mask(f"Not run: {error}{said}"), retryable=True)
        if self._is_stopping():
            child.discard()
            return _not_run(Cause.WORKER_STOPPING, _STOPPING, retryable=True)
        try:
            directory = self._directories.make(child.user)
        except OSError as error:
            child.discard()
            self._spares.refill()
            return _not_run(
                Cause.START_FAILED, f"Not run: its directory can't be made: {error}", retryable=True
            )
        try:
            return await self._run_in(child, job, block, directory, mask)
        except LaunchError as error:
            return _not_run(Cause.START_FAILED, mask(f"Not run: {error}"), retryable=True)
        finally:
            self._spares.refill()
            await self._directories.remove(directory)

    async def _run_in(
        self, child: Child, job: Job, block: BlockEntry, directory: str, mask: Mask
    ) -> Concluded:
        log = JobLog(job.job_id, job.block_id, mask, job.step_label)
        limits = self.limits.of(block)
        child.cgroup.set_limits(limits.memory_mb, backstop(limits.processes))
        blocking_seconds = self.limits.blocking_seconds
        reports = LoopReports(
            child, log, block_id=job.block_id, block_file=block.file, blocking_seconds=blocking_seconds
        )
        execution = Execution(
            child, self._sweeper, self._sampler, self._process_counter, limits, log, reports
        )
        self._running[job.job_id] = execution
        if self._is_stopping():
            execution.stop()

        def order(deadline: float) -> Order:
            return Order(
                job_id=job.job_id,
                block_id=job.block_id,
                job_type=job.job_type,
                run_on=job.run_on,
                entity_id=job.entity_id,
                step_label=job.step_label,
                deadline=deadline,
                job_directory=directory,
                log_level=self.limits.log_level,
                log_levels=dict(self.limits.log_levels),
                redact_keys=self.limits.redact_keys,
                result_cap_bytes=self.limits.result_cap_bytes,
                stall_seconds=limits.stall_seconds,
                blocking_seconds=blocking_seconds or None,
            )

        try:
            payload = json.dumps({"parameters": job.parameters, "context": job.context}).encode()
            finished = await execution.run(order, payload)
        except BaseException:
            child.discard()
            raise
        finally:
            del self._running[job.job_id]
        if not finished.stuck:
            if child.user is not None:
                self._directories.take_back(directory)
            child.close()
        return _conclude(finished, mask)

    def renew(self, limits: JobLimits) -> None:
        """Run jobs under these limits from now on, in children that know the code that is in force now."""
        self.limits = limits
        self._spares.renew()

    def _is_stopping(self) -> bool:
        # Asked for anew each time: it changes while others are awaited.
        return self._stopping

    def stop_all(self) -> None:
        """End every running job now, with the cause ``worker_stopping``; jobs that come later are not run."""
        self._stopping = True
        for execution in self._running.values():
            execution.stop()

    async def close(self) -> None:
        """End the spares and stop watching. Running jobs must have ended."""
        await self._spares.close()
        await self._sampler.close()
        await self._process_counter.close()
        self._directories.close()


def backstop(processes: int | None) -> int | None:
    """Return the kernel's limit of processes and threads for a job that may have ``processes``.

    A little above: a job over its own limit is to be seen, ended and told so, and not only be refused more. This one
    keeps a bomb from growing meanwhile.
    """
    return None if processes is None else processes + max(16, processes // 4)


def _conclude(finished: Finished, mask: Mask) -> Concluded:
    ending = finished.ending
    kernel = ending.kernel and replace(ending.kernel, stack=mask(ending.kernel.stack))
    ending = replace(
        ending,
        stack=mask(ending.stack, cut_after=True),
        kernel=kernel,
        channel_problem=ending.channel_problem and mask(ending.channel_problem),
    )
    return Concluded(decide(ending), ending, finished.result_body, finished.acquires, finished.stuck)


def _not_run(cause: Cause, message: str, *, retryable: bool) -> Concluded:
    verdict = Verdict(success=False, cause=cause, message=message, retryable=retryable)
    return Concluded(verdict, Ending(Usage(0.0)))
