"""What a lab has on this machine while it runs, and what is left of it when its holder is gone."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_KINDS: Final = ("net", "mnt", "pid", "uts", "ipc", "user")
_ACCOUNTS: Final = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")


@dataclass(frozen=True, slots=True)
class Traces:
    """The processes of a lab, and the namespaces that these have and this process has not."""

    pids: frozenset[int]
    namespaces: frozenset[str]

    def left(self) -> list[str]:
        """Return what is left of them."""
        found = [f"process {pid}" for pid in self.pids if _lives(pid)]
        for process in Path("/proc").glob("[0-9]*"):
            if not _lives(int(process.name)):  # one that nobody has waited for yet holds nothing any more
                continue
            found += [
                f"namespace {name} in process {process.name}" for name in _of(process) & self.namespaces
            ]
        mounts = Path("/proc/self/mountinfo").read_text()
        found += [f"a mount of {name}" for name in self.namespaces if name in mounts]
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        return found + [f"link {line}" for line in links.splitlines() if "labbr0" in line]


def traces_of(holder_pid: int) -> Traces:
    """Return what the lab of this holder consists of."""
    holder = psutil.Process(holder_pid)
    pids = [holder_pid, *(child.pid for child in holder.children(recursive=True))]
    namespaces = frozenset[str]().union(*(_of(Path(f"/proc/{pid}")) for pid in pids))
    return Traces(frozenset(pids), namespaces - _of(Path("/proc/self")))


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


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
