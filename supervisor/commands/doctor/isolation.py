"""How well jobs are isolated here (`--isolation`)."""

from supervisor.commands.doctor.finding import Finding, ok, warning
from supervisor.process import kernel_isolation
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.isolation import directories_without_new_files, isolation_of
from supervisor.worker.isolation_report import (
    about_new_files,
    what_holds,
    what_is_missing,
    what_jobs_can_without,
)


def isolation(settings: DaemonSettings) -> Finding:
    """What jobs can reach of the worker and of other jobs with this kernel and these settings."""
    name, has_job_users = "isolation", settings.job_users is not None
    kernel = kernel_isolation.detect()
    if settings.isolation == "off":
        without = what_jobs_can_without(has_job_users=has_job_users)
        return ok(name, without) if has_job_users else warning(name, without, "Remove --isolation off.")
    said = what_holds(kernel)
    new_files = about_new_files(directories_without_new_files(isolation_of(settings, kernel)))
    missing = list(what_is_missing(kernel, has_job_users=has_job_users))
    if not missing:
        return ok(name, f"{said} {new_files}".rstrip())
    return warning(
        name,
        " ".join(filter(None, (said, *missing, new_files))),
        "Use Linux 6.12 or newer with Landlock and seccomp, or --job-users. docs/how-to/isolation.md has a table.",
    )
