"""The watchers of what a job uses while it runs, and the events that each of them reports."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from supervisor.launcher.child import Child
from supervisor.lifecycle.events import CpuMeasured, JobEvent, MemoryMeasured, ProcessesCounted, WatchFailed
from supervisor.verdict import LimitKind, Limits
from supervisor.watch.cpu import CpuWatch
from supervisor.watch.look import Sample
from supervisor.watch.process_counter import ProcessCounter
from supervisor.watch.sampler import Sampler


@dataclass(frozen=True, slots=True)
class Watchers:
    """The watchers of all jobs of a worker. Each look at a job becomes an event of that job."""

    sampler: Sampler
    process_counter: ProcessCounter
    cpu: CpuWatch

    def watch(self, child: Child, limits: Limits, put: Callable[[JobEvent], None]) -> None:
        """Watch what `limits` limit, until `forget`. `put` gets the events.

        Raises `OSError` if the child can't be watched.
        """

        def sampled(sample: Sample) -> None:
            proof = child.cgroup.out_of_memory()
            at_limit = proof is not None and proof.limit_mb is not None
            put(MemoryMeasured(time.monotonic(), sample.memory_mb, at_limit))

        def unsampled(reason: str) -> None:
            if limits.memory_mb is not None and not child.cgroup.limits_memory:
                put(WatchFailed(time.monotonic(), LimitKind.MEMORY, reason))

        def counted(count: int) -> None:
            put(ProcessesCounted(time.monotonic(), count))

        def uncounted(reason: str) -> None:
            put(WatchFailed(time.monotonic(), LimitKind.PROCESSES, reason))

        def used(seconds: float) -> None:
            put(CpuMeasured(time.monotonic(), seconds))

        def unmetered(reason: str) -> None:
            put(WatchFailed(time.monotonic(), LimitKind.CPU, reason))

        pid, most = child.pid, limits.processes
        self.sampler.watch(pid, limits.memory_mb, sampled, unsampled, most, child.inherited)
        self.process_counter.watch(pid, most, counted, uncounted)
        child.groups.watch(most, counted)
        self.cpu.watch(pid, limits.cpu_seconds, child.cgroup, used, unmetered, most)

    def forget(self, child: Child) -> None:
        """Stop watching this job."""
        self.sampler.forget(child.pid)
        self.process_counter.forget(child.pid)
        child.groups.tell_nobody()
        self.cpu.forget(child.pid)

    async def close(self) -> None:
        """Stop watching all jobs."""
        await self.sampler.close()
        await self.process_counter.close()
        await self.cpu.close()
