"""What jobs may take: the worker's limits, and how a block's own tighten them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from jobrunner.protocol.catalogue import BlockEntry
from jobrunner.protocol.masking import SecretNames
from supervisor.lifecycle.job import Limits
from supervisor.settings.run_settings import RunSettings


@dataclass(frozen=True, slots=True)
class JobLimits:
    """The worker's limits, before those of a block. Seconds and megabytes; `None` is no limit."""

    max_seconds: float
    grace_seconds: float
    max_memory_mb: float | None = None
    max_processes: int | None = None
    result_cap_bytes: int = 8 * 2**20
    start_seconds: float = 30.0
    log_level: int = logging.INFO
    log_levels: Mapping[str, int] = field(default_factory=dict)
    """Levels of single loggers, by name."""
    redact_keys: tuple[str, ...] = ()
    """What else makes a name one of a secret."""
    stall_seconds: float = 10.0
    """0 for an event loop that may be silent for ever."""
    on_stall: Literal["warn", "kill"] = "warn"
    blocking_seconds: float = 0.5
    """0 for code that may block the event loop unseen."""

    @property
    def secret_names(self) -> SecretNames:
        """Return the names of secrets that these settings mean."""
        return _names(tuple(self.redact_keys))

    def of(self, block: BlockEntry) -> Limits:
        """Return the limits of a job of ``block``: its own where they are tighter than the worker's."""
        seconds = min(self.max_seconds, block.max_seconds or self.max_seconds)
        memory = [limit for limit in (self.max_memory_mb, block.max_memory_mb) if limit]
        return Limits(
            seconds,
            self.grace_seconds,
            min(memory, default=None),
            stall_seconds=self.stall_seconds or None,
            kill_stalled=self.on_stall == "kill",
            processes=self.max_processes,
        )


@cache
def _names(redact_keys: tuple[str, ...]) -> SecretNames:
    # Once for all jobs: it remembers what it has looked at.
    return SecretNames(redact_keys)


def limits_of(settings: RunSettings) -> JobLimits:
    """Return the limits that these settings mean."""
    return JobLimits(
        max_seconds=settings.max_job_seconds,
        grace_seconds=settings.grace_seconds,
        max_memory_mb=settings.max_job_memory_mb,
        max_processes=settings.max_job_processes,
        result_cap_bytes=settings.max_result_mb * 2**20,
        log_level=settings.log_level_number,
        log_levels=settings.log_level_numbers,
        redact_keys=tuple(settings.redact_keys),
        stall_seconds=settings.stall_seconds,
        on_stall=settings.on_stall,
        blocking_seconds=settings.blocking_seconds,
    )
