"""What a killed worker has left: its cgroups, and processes that carry its mark."""

import contextlib
import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supervisor.process.cgroups.files import PROCESSES, kill_and_remove
from supervisor.process.cgroups.identity import MARKER_VARIABLE, directory_name
from supervisor.process.proc import lineage, living_thread
from supervisor.process.small_file import read_small_file, replace_file

RECORD: Final = "cgroups"
"""The file in the state directory with the worker's directories: the next start may be in another cgroup."""

_BOUND_SECONDS: Final = 5.0
_LEAST_ROUNDS: Final = 5
_LEAST_WAIT_SECONDS: Final = 0.05
"""So many rounds are made, with so long a wait, whatever the clock says: the machine may have stood still."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was found and removed, and what could not be killed or removed."""

    killed: int = 0
    removed: int = 0
    stuck: int = 0

    def __bool__(self) -> bool:
        return self != Cleared()


def clear(state_directory: Path, identity: str, own: list[Path]) -> Cleared:
    """Kill and remove what an earlier run with this identity has left. That run must be over. Takes at most 10 s.

    It looks for cgroups below those of this process, and in the directories of the record. It recognises processes
    that have left them, or were in none, by their environment. Never raises.
    """
    name = directory_name(identity)
    places = dict.fromkeys([*(directory / name for directory in own), *_recorded(state_directory, name)])
    killed: set[int] = set()
    removed = stuck = 0
    end = time.monotonic() + _BOUND_SECONDS
    for place in places:
        if (place / PROCESSES).exists():
            found, gone = kill_and_remove(place, max(0.0, end - time.monotonic()))
            killed |= found
            removed, stuck = removed + gone, stuck + (not gone)
    marked, left = kill_marked(identity)
    return Cleared(len(killed | marked), removed, stuck + left)


def record(state_directory: Path, directories: list[Path]) -> None:
    """Write down which directories are this worker's. Raises `OSError`."""
    replace_file(state_directory / RECORD, "".join(f"{directory}\n" for directory in directories).encode())


def _recorded(state_directory: Path, name: str) -> list[Path]:
    try:
        lines = read_small_file(state_directory / RECORD).decode().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [Path(line) for line in lines if line.startswith("/") and Path(line).name == name]


def kill_marked(identity: str) -> tuple[set[int], int]:
    """Kill every process that carries this worker's mark in its environment. Returns their pids, and how many live on.

    It spares this process and its ancestors. It does not compare users: a process whose environment can be read may be
    signalled, and jobs may have had their own users.
    """
    mark = f"{MARKER_VARIABLE}={identity}".encode()
    spared = lineage()
    killed: set[int] = set()
    end = time.monotonic() + _BOUND_SECONDS
    left = _LEAST_ROUNDS
    while True:
        left -= 1
        with contextlib.ExitStack() as opened:
            found = _open_marked(mark, spared, opened)
            if not found or (left <= 0 and time.monotonic() > end):
                return killed, len(found)
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for descriptor in found.values():
                    with contextlib.suppress(OSError):
                        signal.pidfd_send_signal(descriptor, number)
            killed |= found.keys()
            _wait(list(found.values()), max(end, time.monotonic() + _LEAST_WAIT_SECONDS))


def _open_marked(mark: bytes, spared: set[int], opened: contextlib.ExitStack) -> dict[int, int]:
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdecimal() or int(name) in spared or not _is_marked(name, mark):
            continue
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(int(name))
            opened.callback(os.close, descriptor)
            # Checked again: the number may have got another process before it was opened, but not after.
            if _is_marked(name, mark):
                found[int(name)] = descriptor
    return found


def _is_marked(pid: str, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{living_thread(int(pid))}/environ").read_bytes().split(b"\0")
    except OSError:  # it is gone, a zombie, or another user's
        return False


def _wait(descriptors: list[int], end: float) -> None:
    """Wait until all of these processes have ended, or the time is over."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    waiting = len(descriptors)
    while waiting and (left := end - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(left * 1000):
            poll.unregister(descriptor)
            waiting -= 1
