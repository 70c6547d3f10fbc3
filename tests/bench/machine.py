"""The machine that the figures are from."""

import os
import platform
from pathlib import Path

import psutil


def load_average() -> float:
    """Return how many processes wanted a core, on average over the last minute."""
    return os.getloadavg()[0]


def facts(directory: Path, load_before: float) -> dict[str, str]:
    """Return what a reader of the figures must know. ``directory`` is where the journal was."""
    return {
        "cores": f"{len(os.sched_getaffinity(0))}",
        "load average before": f"{load_before:.2f}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "journal on": _file_system(directory),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(directory: Path) -> str:
    """Return the file system: on one in memory, a durable journal costs nothing."""
    places = [mount for mount in psutil.disk_partitions(all=True) if directory.is_relative_to(mount.mountpoint)]
    return max(places, key=lambda mount: len(mount.mountpoint)).fstype if places else "unknown"
