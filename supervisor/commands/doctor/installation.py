"""Files, limits and packages of this installation."""

import os
import shutil
import stat
from typing import Final

from supervisor.commands.doctor.finding import Finding, failed, ok, warning
from supervisor.commands.owned_names import refuse_foreign_owners
from supervisor.errors import StartRefusedError, StateDirectoryError
from supervisor.journal.directory import is_in_use, refuse_strangers_files
from supervisor.process import kept
from supervisor.process.open_files import most_of_a_job, most_open_files
from supervisor.settings.run_settings import DaemonSettings

_FEWEST_FREE_MB: Final = 200
_FEWEST_FREE_INODES: Final = 1000
_DESCRIPTORS_PER_CHILD: Final = 10
_DESCRIPTORS_OF_THE_WORKER: Final = 100


def package_names(settings: DaemonSettings) -> Finding:
    """Whether another distribution owns a package name of this worker."""
    try:
        refuse_foreign_owners()
    except StartRefusedError as error:
        return failed("package names", str(error), "The worker does not start like this.")
    return ok("package names", "no other installed package has the same names")


def state_directory(settings: DaemonSettings) -> Finding:
    """Whether the journal can be kept: owner, mode and free space. If a running worker holds the lock, that is fine."""
    name, directory = "state directory", settings.state_dir
    existing = next(path for path in (directory, *directory.parents) if os.path.exists(path))
    if not os.access(existing, os.W_OK | os.X_OK) or not existing.is_dir():
        return failed(
            name,
            f"{existing} is not a directory that user {os.geteuid()} can write.",
            "Give another --state-dir.",
        )
    free_mb = shutil.disk_usage(existing).free // 2**20
    if free_mb < _FEWEST_FREE_MB:
        return failed(name, f"{existing} has {free_mb} MB left; results may get lost.", "Free some space.")
    inodes = os.statvfs(existing)
    # Some file systems, such as btrfs, count none.
    if inodes.f_files and inodes.f_favail < _FEWEST_FREE_INODES:
        text = f"{existing} has {inodes.f_favail} inodes left for files; results may get lost."
        return failed(name, text, "Remove files on its disk (df -i).")
    if existing != directory:
        return ok(name, f"{directory} will be made; {free_mb} MB free")
    status = directory.stat()
    is_the_services = os.geteuid() == 0 and status.st_uid != 0
    if not is_the_services:
        try:
            refuse_strangers_files(directory)
        except StateDirectoryError as error:
            return failed(name, str(error), "The worker does not start like this.")
    open_to = status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~(stat.S_IXGRP | stat.S_IXOTH)
    if open_to:
        return warning(
            name,
            f"Others can see what is in {directory}, mode {stat.S_IMODE(status.st_mode):o}.",
            f"chmod 700 {directory}",
        )
    used = "in use by a running worker" if is_in_use(directory) else "not in use"
    return ok(name, f"{directory}, {used}; {free_mb} MB free")


def open_files(settings: DaemonSettings) -> Finding:
    """Whether the limit of open files is enough for all slots."""
    slots = settings.max_concurrent_jobs
    children = slots + settings.spares
    needed = _DESCRIPTORS_OF_THE_WORKER + children * _DESCRIPTORS_PER_CHILD
    most = most_open_files()
    if most < needed:
        return failed(
            "open files",
            f"{most} files may be open; {slots} slot(s) need {needed}.",
            f"Raise the hard limit (ulimit -Hn {needed}, or LimitNOFILE= in the unit).",
        )
    wanted, each = settings.max_job_open_files, most_of_a_job(settings.max_job_open_files)
    if each < wanted:
        return warning(
            "open files",
            f"{most} may be open, of which a process of a job gets {each}; --max-job-open-files says {wanted}.",
            f"Raise the hard limit (ulimit -Hn {2 * wanted}, or LimitNOFILE= in the unit).",
        )
    return ok(
        "open files", f"{most} may be open, {each} in a process of a job; {slots} slot(s) need {needed}"
    )


def systemd(settings: DaemonSettings) -> Finding:
    """Whether a service manager listens. For information only: the worker runs without one too."""
    listens = kept.sender() is not None
    return ok("systemd", "listens" if listens else "does not listen here; not needed")
