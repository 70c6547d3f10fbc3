"""The order that a child gets for a job."""

from collections.abc import Callable

from jobrunner.protocol.messages import HostKeyCheck, Order
from supervisor.job.job import Job
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import Limits


def order_maker(
    job: Job, settings: RunSettings, limits: Limits, host_keys: HostKeyCheck, directory: str
) -> Callable[[float], Order]:
    """Return what makes the order once its deadline is known, which is in seconds of the monotonic clock.

    `directory` is the job's own.
    """

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
            log_level=settings.log_level_number,
            log_levels=settings.log_level_numbers,
            redact_keys=tuple(settings.redact_keys),
            result_cap_bytes=settings.max_result_mb * 2**20,
            host_keys=host_keys,
            stall_seconds=limits.stall_seconds,
            blocking_seconds=settings.blocking_seconds or None,
            sessions_per_device=settings.sessions_per_device,
        )

    return order
