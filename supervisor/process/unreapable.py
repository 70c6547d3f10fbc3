"""Ended processes that can't be reaped yet: one of their threads waits in the kernel, for example for a disk.

Imports almost nothing, because the keeper uses it.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files

_STATE: Final = 0
_EXIT_CODE: Final = 49
"""Positions in /proc/PID/stat after the name (proc_pid_stat(5): fields 3 and 52)."""


def exit_status_of(pid: int) -> int | None:
    """Return the exit code of a process whose main thread is dead; negative is a signal.

    `None` if it runs, or if it can't be looked at: /proc may hide it (`hidepid`), or no descriptor or memory is left.
    The kernel shows the true code to the process's own user; other users see 0.
    """
    try:
        # Bytes: the name of a process may not be valid text.
        fields = kernel_files.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[_STATE] not in (b"Z", b"X"):
        return None
    return os.waitstatus_to_exitcode(int(fields[_EXIT_CODE]))


def children_of(pid: int | str) -> set[int]:
    """Return the children of all threads of a process, with dead ones. Raises `OSError` if the process is gone."""
    children: set[int] = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            children.update(map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split()))
    return children
