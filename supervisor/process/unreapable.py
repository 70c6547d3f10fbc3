"""Processes that have ended and can't be waited for yet: one of their threads waits in the kernel, for a disk, say.

Imports next to nothing, as the keeper uses it.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files

_STATE: Final = 0
_EXIT_CODE: Final = 49
"""Places in /proc/PID/stat behind the name (proc_pid_stat(5): fields 3 and 52)."""


def exit_status_of(pid: int) -> int | None:
    """Return the exit code of a process whose main thread was seen dead, negative for a signal.

    `None` for one that runs, and for one that can't be looked at: /proc may hide it (`hidepid`), or no descriptor or
    memory is left. The kernel shows the true code to the process's own user; 0 stands in its place otherwise.
    """
    try:
        # Bytes: a process may have named itself by what is no text.
        fields = kernel_files.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[_STATE] not in (b"Z", b"X"):
        return None
    return os.waitstatus_to_exitcode(int(fields[_EXIT_CODE]))


def children_of(pid: int | str) -> set[int]:
    """Return the children of a process, the dead included, over all its threads. Raises `OSError` if it is gone."""
    children: set[int] = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            children.update(map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split()))
    return children
