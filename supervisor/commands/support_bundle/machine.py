"""Facts about the machine and the installation. It asks no worker, and reads no environment."""

import importlib.metadata
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Any, Final

from supervisor.commands.support_bundle.collection import LeftOutError
from supervisor.settings.command_parser import DISTRIBUTION, version_text

_FILE_CAP_BYTES: Final = 64 * 1024
_KERNEL_FILES: Final = (
    "/proc/version",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/uptime",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/yama/ptrace_scope",
    "/proc/sys/fs/file-nr",
    "/sys/kernel/security/lsm",
)
_PROCESS_FILES: Final = ("status", "limits", "cgroup", "oom_score_adj")
"""Not `environ` or `cmdline`: they may hold other programs' secrets."""
_CGROUP_FILES: Final = (
    "cgroup.controllers", "cgroup.subtree_control", "memory.max", "memory.current", "memory.events", "pids.max",
    "pids.current", "cpu.max", "cpu.stat",
)  # fmt: skip
_PACKAGES: Final = (
    "aiohttp", "multiprocess", "neops-workflow-engine-client", "netmiko", "paramiko", "prometheus-client", "psutil",
    "pydantic", "pydantic-settings", "rich",
)  # fmt: skip


def versions() -> dict[str, Any]:
    """Return what is installed, and on which system."""
    system = os.uname()
    return {
        "worker": version_text(),
        "python": sys.version,
        "packages": {name: _version_of(name) for name in (DISTRIBUTION, *_PACKAGES)},
        "kernel": f"{system.sysname} {system.release} {system.version} {system.machine}",
        "libc": " ".join(platform.libc_ver()),
        "system": _system_name(),
        "processors": os.cpu_count(),
        "usable_processors": len(os.sched_getaffinity(0)),
    }


def kernel() -> dict[str, str]:
    """Return what the kernel shows of the machine's load, memory and limits."""
    return {path: text for path in _KERNEL_FILES if (text := read_small(Path(path))) is not None}


def process(pid: int) -> dict[str, Any]:
    """Return what the kernel shows of a process and of its cgroup. Raises `LeftOutError` if it is gone."""
    place = Path(f"/proc/{pid}")
    files = {name: text for name in _PROCESS_FILES if (text := read_small(place / name)) is not None}
    if not files:
        raise LeftOutError(f"Process {pid} is gone.")
    line = next((line for line in files.get("cgroup", "").splitlines() if line.startswith("0::")), "0::/")
    cgroup = Path("/sys/fs/cgroup") / line.removeprefix("0::").lstrip("/")
    return {
        **files,
        "cgroup files": {
            name: text for name in _CGROUP_FILES if (text := read_small(cgroup / name)) is not None
        },
    }


def own_limits() -> dict[str, Any]:
    """Return which user collects, and with which limits."""
    names = ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_AS", "RLIMIT_CORE")
    return {
        "user": os.geteuid(),
        "groups": os.getgroups(),
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in names},
    }


def read_small(path: Path) -> str | None:
    """Return the beginning of a file of the kernel's, `None` if it does not exist or can't be read. Follows no link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return os.read(descriptor, _FILE_CAP_BYTES).decode(errors="backslashreplace")
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _version_of(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""
