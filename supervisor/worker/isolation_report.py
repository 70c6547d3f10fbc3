"""Says in words what isolates a job on this machine, and what does not, for the log and for `doctor`."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from jobrunner.protocol.isolation import ABI_WITH_SIGNALS, Isolation
from supervisor.log.event import tell
from supervisor.log.events.isolation import IsolationIncomplete, IsolationInForce, IsolationOff
from supervisor.process import kernel_isolation
from supervisor.process.kernel_isolation import KernelIsolation
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.isolation import directories_without_new_files, isolation_of

_log = logging.getLogger(__name__)

_ABI_WITH_TRUNCATE = 3


def tell_isolation(settings: DaemonSettings, last: Isolation | None = None) -> Isolation:
    """Log how well jobs are isolated, unless it is the same as `last`. Returns the isolation in force."""
    kernel = kernel_isolation.detect()
    isolation = isolation_of(settings, kernel)
    if isolation == last:
        return isolation
    if settings.isolation == "off":
        tell(
            _log,
            IsolationOff(what_jobs_can=what_jobs_can_without(has_job_users=settings.job_users is not None)),
        )
        return isolation
    missing = list(what_is_missing(kernel, has_job_users=settings.job_users is not None))
    directories = directories_without_new_files(isolation)
    facts: dict[str, Any] = {
        "holds": what_holds(kernel),
        "new_files": about_new_files(directories),
        "landlock_abi": kernel.landlock_abi,
        "seccomp": kernel.seccomp,
        "directories": ", ".join(directories) or None,
    }
    tell(
        _log,
        IsolationIncomplete(**facts, missing=" ".join(missing)) if missing else IsolationInForce(**facts),
    )
    return isolation


def what_holds(kernel: KernelIsolation) -> str:
    """Return in one sentence what jobs can't do."""
    files = "Jobs reach neither the files of this worker nor those of each other, and can't change blocks"
    if kernel.landlock_abi and kernel.seccomp:
        return f"{files} (Landlock ABI {kernel.landlock_abi}), nor limits and priorities of others (seccomp)."
    if kernel.landlock_abi:
        return f"{files} (Landlock ABI {kernel.landlock_abi})."
    if kernel.seccomp:
        return "Jobs can't change limits and priorities of others (seccomp)."
    return "Nothing that --isolation kernel asks for can be had here."


def what_is_missing(kernel: KernelIsolation, *, has_job_users: bool) -> Iterator[str]:
    """Yield a sentence for each thing that a job can do because this kernel can't prevent it."""
    abi = kernel.landlock_abi
    if abi == 0 and has_job_users:
        yield f"No Landlock, {kernel.no_landlock}: only --job-users keeps jobs from the worker's files."
    elif abi == 0:
        yield (
            f"No Landlock, {kernel.no_landlock}: jobs can read the worker's files and each other's, change blocks, and "
            "end the worker or each other by a signal."
        )
    if 0 < abi < _ABI_WITH_TRUNCATE and not has_job_users:
        yield "Landlock below ABI 3 (Linux 6.2): jobs can empty files that they can't read."
    if abi == 1:
        yield "Landlock below ABI 2 (Linux 5.19): jobs can't move or link files from one directory to another."
    if 0 < abi < ABI_WITH_SIGNALS:
        signals = "" if has_job_users else "end the worker or each other by a signal, and "
        yield f"Landlock below ABI 6 (Linux 6.12): jobs can {signals}reach abstract Unix sockets of others."
    if not kernel.seccomp:
        others = (
            "" if has_job_users else "change limits, priorities and processors of the worker and others, and "
        )
        yield f"No seccomp, {kernel.no_seccomp}: jobs can {others}start processes that pass for the worker's own."


def what_jobs_can_without(*, has_job_users: bool) -> str:
    """Return what `--isolation off` means."""
    if has_job_users:
        return "Jobs are kept apart by --job-users alone (--isolation off)."
    return "Jobs can read the worker's token and journal and each other's files, and change blocks (--isolation off)."


def about_new_files(directories: Sequence[str]) -> str:
    """Return where jobs can make no files; empty if there is no such directory."""
    if not directories:
        return ""
    return (
        f"They can make nothing directly in {_listed(directories)} (--writable-paths opens places in there)."
    )


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
