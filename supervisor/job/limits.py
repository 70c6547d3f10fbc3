"""What a job may take: the worker's settings, and how a block's own limits tighten them."""

from functools import cache

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.masking import SecretNames
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import LimitKind, Limits


def limits_for(settings: RunSettings, block: BlockEntry) -> Limits:
    """Return the limits of a job of `block`: its own where they are tighter than the worker's."""
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


def secret_names_of(settings: RunSettings) -> SecretNames:
    """Return the names of secrets that these settings mean."""
    return _names(tuple(settings.redact_keys))


@cache
def _names(redact_keys: tuple[str, ...]) -> SecretNames:
    # Once for all jobs: it remembers what it has looked at.
    return SecretNames(redact_keys)


def backstop(processes: int | None) -> int | None:
    """Return the kernel's limit of processes and threads for a job that may have `processes`.

    A little above: a job over its own limit is to be seen, ended and told so, and not only be refused more. This one
    keeps a bomb from growing meanwhile.
    """
    return None if processes is None else processes + max(16, processes // 4)
