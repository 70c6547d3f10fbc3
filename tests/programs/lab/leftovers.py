"""What a lab has on this machine while it runs, and what is left of it when its holder is gone."""

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_KINDS: Final = ("net", "mnt", "pid", "uts", "ipc", "user")
_START: Final = 19
"""Where the time of a process's start is behind its name (proc(5): starttime, the 22nd of all)."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ACCOUNTS: Final = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")


@dataclass(frozen=True, slots=True)
class Traces:
    """The processes of a lab, and the namespaces that these have and this process has not.

    `taken_at` is when they were looked at, right before the lab's end, in seconds since the machine's start. A younger
    process is somebody else's, who may have got the number of a process or a namespace that has ended.
    """

    pids: frozenset[int]
    namespaces: frozenset[str]
    taken_at: float

    def left(self) -> list[str]:
        """Return what is left of them."""
        found: list[str] = []
        for process in Path("/proc").glob("[0-9]*"):
            pid = int(process.name)
            if not self._may_be_of_it(pid):
                continue
            found += [f"process {pid}"] if pid in self.pids else []
            found += [f"namespace {name} in process {pid}" for name in _of(process) & self.namespaces]
        mounts = Path("/proc/self/mountinfo").read_text()
        found += [f"a mount of {name}" for name in self.namespaces if name in mounts]
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        return found + [f"link {line}" for line in links.splitlines() if "labbr0" in line]

    def _may_be_of_it(self, pid: int) -> bool:
        """Whether it lives, and did so before. One that nobody has waited for yet holds nothing any more."""
        try:
            began = int(_stat_of(pid)[_START]) / _TICKS
            return began <= self.taken_at and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.NoSuchProcess):
            return False


def traces_of(holder_pid: int) -> Traces:
    """Return what the lab of this holder consists of."""
    holder = psutil.Process(holder_pid)
    pids = [holder_pid, *(child.pid for child in holder.children(recursive=True))]
    namespaces = frozenset[str]().union(*(_of(Path(f"/proc/{pid}")) for pid in pids))
    taken_at = time.clock_gettime(time.CLOCK_BOOTTIME)
    return Traces(frozenset(pids), namespaces - _of(Path("/proc/self")), taken_at)


def accounts() -> dict[str, str]:
    """Return a digest of each file of this machine's accounts."""
    return dict(_accounts())


def _accounts() -> Iterator[tuple[str, str]]:
    for name in _ACCOUNTS:
        path = Path("/etc") / name
        try:
            stat, data = path.stat(), path.read_bytes()
        except OSError as error:  # not there, or not for us to read
            yield name, type(error).__name__
        else:
            yield name, f"{stat.st_ino} {stat.st_mtime_ns} {hashlib.sha256(data).hexdigest()}"


def _of(process: Path) -> frozenset[str]:
    names: set[str] = set()
    for kind in _KINDS:
        try:
            names.add(os.readlink(process / "ns" / kind))
        except OSError:  # it has ended, or is another user's
            continue
    return frozenset(names)


def _stat_of(pid: int) -> list[str]:
    """Return what /proc says of a process behind its name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
