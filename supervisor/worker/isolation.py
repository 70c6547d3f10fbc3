"""What `--isolation` means on this machine: what children ask the kernel for, and which files jobs may reach."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jobrunner.protocol.isolation import ABI_WITH_SIGNALS, Isolation, is_at_or_below
from supervisor.launcher.file_rules import Places, file_rules, without_new_files
from supervisor.process import kernel_isolation
from supervisor.process.kernel_isolation import KernelIsolation
from supervisor.process.links import links_and_end
from supervisor.settings import env_file
from supervisor.settings.marks import closed_by_a_command
from supervisor.settings.run_settings import DaemonSettings, RunSettings
from supervisor.settings.writable_paths import CLOSED
from supervisor.worker.code_places import block_places, interpreter_places
from supervisor.worker.control_socket.place import runtime_directory

JOBS: Final = "jobs"
"""The directory, in the state directory, in which each job has its own directory."""

CGROUPS: Final = "/sys/fs/cgroup"


def isolation_of(settings: RunSettings, kernel: KernelIsolation | None = None) -> Isolation:
    """Return what children must ask the kernel for. `kernel` is what it offers; if not given, it is detected."""
    kernel = kernel or kernel_isolation.detect()
    contain_signals = kernel.landlock_abi >= ABI_WITH_SIGNALS
    if settings.isolation == "off":
        return Isolation(contain_signals=contain_signals)
    return Isolation(
        landlock_abi=kernel.landlock_abi,
        seccomp=kernel.seccomp,
        new_session_keyring=kernel.session_keyring,
        contain_signals=contain_signals,
        files=file_rules(places_of(settings), links_and_end),
    )


def places_of(settings: RunSettings) -> Places:
    """Return the paths that matter. Without a daemon there is one job at a time, and nothing of a worker to hide."""
    guarded = [os.path.abspath(env_file.FILE), CGROUPS]
    needed = [*interpreter_places(), *block_places(settings.function_blocks)]
    if not isinstance(settings, DaemonSettings):
        return Places(needed=tuple(needed), guarded=tuple(guarded), writable=tuple(settings.writable_paths))
    if settings.engine_ca_file is not None:
        guarded.append(os.path.abspath(settings.engine_ca_file))
    return Places(
        closed=tuple(_closed(settings)),
        needed=tuple(needed),
        guarded=tuple(guarded),
        writable=tuple(settings.writable_paths),
        jobs_directory=os.path.abspath(settings.state_dir / JOBS),
    )


def directories_without_new_files(isolation: Isolation) -> list[str]:
    """Return the directories in which jobs can make nothing although this worker's user can."""
    if not isolation.landlock_abi:
        return []
    return [path for path in without_new_files(isolation.files) if os.access(path, os.W_OK)]


def _closed(settings: DaemonSettings) -> Iterator[str]:
    for name in CLOSED:
        path: Path | None = getattr(settings, name)
        if path is not None:
            yield os.path.abspath(path)
    # If it is not set, it is systemd's, or below the state directory, which is closed anyway.
    runtime = os.path.abspath(runtime_directory(settings.runtime_dir, settings.state_dir))
    if not is_at_or_below(os.path.realpath(runtime), os.path.realpath(settings.state_dir)):
        yield runtime
    yield from closed_by_a_command()
