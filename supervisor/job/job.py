"""A job as the engine has given it to this worker, its limits, and the order for its child."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.messages import HostKeyCheck, JobType, Order, RunOn
from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.public_key import PublicKey
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import LimitKind, Limits


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `parameters` and `context` are as the engine sent them, and may hold passwords.

    Of a large job they are the engine's text: making objects of megabytes would hold up the loop.
    """

    job_id: str
    block_id: str
    job_type: JobType
    run_on: RunOn
    parameters: dict[str, object] | bytes
    context: dict[str, object] | bytes
    entity_id: int | float | None = None
    step_label: str | None = None

    def payload(self, known: Sequence[tuple[Endpoint, PublicKey]] = ()) -> tuple[bytes, ...]:
        """Return parameters and context for the child, and the known host keys of the job's devices.

        Each key, if there are any, is a list of host, port, type and key. The payload has device passwords, so it is
        not in the header, which an error may show. Its parts are JSON texts, one after the other: megabytes are never
        copied.
        """
        keys = [(*endpoint, *key) for endpoint, key in known]
        parts = (b'{"parameters": ', as_json(self.parameters), b', "context": ', as_json(self.context))
        known_keys = (b', "host_keys": ', json.dumps(keys).encode()) if keys else ()
        return (*parts, *known_keys, b"}")


def as_json(value: dict[str, object] | bytes) -> bytes:
    """Return a job's parameters or context as text."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def order_of(
    job: Job, settings: RunSettings, limits: Limits, host_keys: HostKeyCheck, directory: str
) -> Order:
    """Return the order for the child that will run a job. `directory` is the job's own."""
    return Order(
        job_id=job.job_id,
        block_id=job.block_id,
        job_type=job.job_type,
        run_on=job.run_on,
        entity_id=job.entity_id,
        step_label=job.step_label,
        job_directory=directory,
        log_level=settings.log_level_number,
        log_levels=settings.log_level_numbers,
        redact_keys=tuple(settings.redact_keys),
        result_cap_bytes=settings.max_result_mb * 2**20,
        host_keys=host_keys,
        stall_seconds=limits.stall_seconds,
        blocking_seconds=settings.blocking_seconds or None,
        sessions_per_device=settings.sessions_per_device,
    )


def limits_for(settings: RunSettings, block: BlockEntry) -> Limits:
    """Return the limits of a job of `block`: the block's own if they are tighter than the worker's."""
    seconds, seconds_by_block = _tighter(settings.max_job_seconds, block.max_seconds)
    memory_mb, memory_by_block = _tighter(settings.max_job_memory_mb, block.max_memory_mb)
    cpu_seconds, cpu_by_block = _tighter(settings.max_job_cpu_seconds, block.max_cpu_seconds)
    assert seconds is not None, "the worker has a time limit"
    by_block = {
        LimitKind.TIME: seconds_by_block,
        LimitKind.MEMORY: memory_by_block,
        LimitKind.CPU: cpu_by_block,
    }
    return Limits(
        seconds,
        settings.grace_seconds,
        memory_mb,
        stall_seconds=settings.stall_seconds or None,
        kill_stalled=settings.on_stall == "kill",
        processes=settings.max_job_processes,
        cpu_seconds=cpu_seconds,
        by_block=frozenset(kind for kind, is_by_block in by_block.items() if is_by_block),
    )


def _tighter(workers: float | None, blocks: float | None) -> tuple[float | None, bool]:
    """Return the tighter of two limits, and whether it is the block's. 0 and `None` are no limit."""
    if blocks and (not workers or blocks < workers):
        return blocks, True
    return workers or None, False


def backstop(processes: int | None) -> int | None:
    """Return the kernel's limit of processes and threads for a job that may have `processes`.

    It is a little higher: the worker must see a job that is over its limit, end it and report it, and not only have
    the kernel refuse more. This limit keeps a bomb from growing meanwhile.
    """
    return None if processes is None else processes + max(16, processes // 4)
