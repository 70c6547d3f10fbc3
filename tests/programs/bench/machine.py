"""The machine that the figures are from, and who else used it meanwhile."""

import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

QUIET_SHARE: Final = 0.1
"""Of all cores. Above it, the figures are those of a machine that had something else to do."""


def durable_directory() -> str:
    """Return a place on a disk, unless TMPDIR names another: where /tmp is memory, an fsync is free."""
    is_named = "TMPDIR" in os.environ or not os.access("/var/tmp", os.W_OK)
    return tempfile.gettempdir() if is_named else "/var/tmp"


def load_average() -> float:
    """Return how many processes wanted a core, on average over the last minute."""
    return os.getloadavg()[0]


def cores() -> int:
    """Return how many cores this process, and so all that it starts, may use."""
    return len(os.sched_getaffinity(0))


class Neighbours:
    """How much CPU time was taken by what this benchmark has not started, from the creation on.

    Read it only while nothing runs that this process has started: the kernel counts a process here at its end.
    """

    def __init__(self) -> None:
        self._start = time.monotonic(), _busy_seconds() - _own_seconds()

    def cores_used(self) -> float:
        """Return how many cores they used on average, that which a hypervisor gave to other guests included."""
        since, before = self._start
        return max(0.0, _busy_seconds() - _own_seconds() - before) / (time.monotonic() - since)


def _busy_seconds() -> float:
    # The first line of proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal, in clock ticks.
    ticks = [int(field) for field in Path("/proc/stat").read_text(encoding="utf-8").split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def facts(directory: Path, load_before: float, neighbours: Neighbours) -> dict[str, str]:
    """Return what a reader of the figures must know. `directory` is where the journal was."""
    return {
        "cores": f"{cores()}",
        "load average before": f"{load_before:.2f}",
        "cores that others used meanwhile": f"{neighbours.cores_used():.2f}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "journal on": _file_system(directory),
    }


def note(neighbours: Neighbours) -> str:
    """Return what to think of the figures when others used this machine; empty when it was quiet."""
    if neighbours.cores_used() < QUIET_SHARE * cores():
        return ""
    return "note: others used this machine meanwhile; on a quiet one the figures are better."


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
