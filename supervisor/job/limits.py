"""What a job may take: the worker's settings, and how a block's own limits tighten them."""

from functools import cache

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.masking import SecretNames
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import Limits


def limits_for(settings: RunSettings, block: BlockEntry) -> Limits:
    """Return the limits of a job of ``block``: its own where they are tighter than the worker's."""
    seconds = min(settings.max_job_seconds, block.max_seconds or settings.max_job_seconds)
    memory = [limit for limit in (settings.max_job_memory_mb, block.max_memory_mb) if limit]
    return Limits(
        seconds,
        settings.grace_seconds,
        min(memory, default=None),
        stall_seconds=settings.stall_seconds or None,
        kill_stalled=settings.on_stall == "kill",
        processes=settings.max_job_processes,
    )


def secret_names_of(settings: RunSettings) -> SecretNames:
    """Return the names of secrets that these settings mean."""
    return _names(tuple(settings.redact_keys))


@cache
def _names(redact_keys: tuple[str, ...]) -> SecretNames:
    # Once for all jobs: it remembers what it has looked at.
    return SecretNames(redact_keys)
