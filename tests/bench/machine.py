"""The machine that the figures are from."""

import os
import platform
from pathlib import Path
from typing import Final

import psutil

BUSY_LOAD: Final = 1.5
"""From this load average on, others had the cores for a part of the time."""


def load_average() -> float:
    """Return how many processes wanted a core, on average over the last minute."""
    return os.getloadavg()[0]


def note_on_load(load_before: float) -> str:
    """Return what to think of the figures when others used this machine before; empty when it was quiet."""
    if load_before < BUSY_LOAD:
        return ""
    return f"note: this machine was busy (load average {load_before:.2f}); its figures are worse than they would be."


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
    places = [
        mount for mount in psutil.disk_partitions(all=True) if directory.is_relative_to(mount.mountpoint)
    ]
    return max(places, key=lambda mount: len(mount.mountpoint)).fstype if places else "unknown"
