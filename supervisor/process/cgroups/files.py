"""The files of a cgroup. It imports little, because the keeper uses it too."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files

PROCESSES: Final = kernel_files.CGROUP_PROCESSES
KILL: Final = "cgroup.kill"

_PAUSE_SECONDS: Final = 0.002
_LEAST_TRIES: Final = 10
"""So many tries are made whatever the clock says: the machine may have stood still all the time."""


def processes(directory: Path | str) -> set[int]:
    """Return the pids in a cgroup and those below it, without zombies; empty if it is gone."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        folders = [str(directory)] if os.stat(directory).st_nlink == 2 else _tree(directory)
        for folder in folders:
            with contextlib.suppress(OSError):
                found |= {int(line) for line in kernel_files.read(f"{folder}/{PROCESSES}").split()}
    found.discard(0)  # 0 is a process of another pid namespace
    return found


def kill(directory: Path | str) -> set[int]:
    """Send SIGKILL to everything in a cgroup and below it, once. Returns the pids that were there.

    It uses `cgroup.kill` (version 2, Linux 5.14), which no fork escapes. Otherwise it stops and kills one process after
    the other: call it again until it returns nothing. A pid is signalled only if its process is in the cgroup after its
    pidfd was opened.
    """
    inside = processes(directory)
    if not inside:
        return inside
    with contextlib.suppress(OSError):
        kernel_files.write(f"{directory}/{KILL}", "1")
        return inside
    for number in (signal.SIGSTOP, signal.SIGKILL):
        _signal_all(directory, inside, number)
    return inside


def _signal_all(directory: Path | str, pids: set[int], number: int) -> None:
    opened: dict[int, int] = {}
    try:
        for pid in pids:
            with contextlib.suppress(OSError):
                opened[pid] = os.pidfd_open(pid)
        still = processes(directory)
        for pid, descriptor in opened.items():
            if pid in still:
                with contextlib.suppress(OSError):
                    signal.pidfd_send_signal(descriptor, number)
    finally:
        for descriptor in opened.values():
            os.close(descriptor)


def remove(directory: Path | str) -> bool:
    """Remove a cgroup and those below it, once. Returns whether it is gone."""
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError:  # a process is in it, or the job has made its own cgroups below it
        for folder in reversed(_tree(directory)):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        return not os.path.exists(directory)
    return True


def kill_and_remove(directory: Path | str, bound_seconds: float) -> tuple[set[int], bool]:
    """Kill everything in a cgroup and remove it, within `bound_seconds`. Returns the pids, and whether it is gone."""
    end = time.monotonic() + bound_seconds
    killed: set[int] = set()
    left = _LEAST_TRIES
    while True:
        left -= 1
        killed |= kill(directory)
        if remove(directory):
            return killed, True
        if left <= 0 and time.monotonic() > end:
            return killed, False
        time.sleep(_PAUSE_SECONDS)


def _tree(directory: Path | str) -> list[str]:
    """Return `directory` and all below it, parents first.

    Without recursion: a job that may make cgroups below its own can nest a thousand.
    """
    found = [str(directory)]
    for folder in found:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            found += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    return found
