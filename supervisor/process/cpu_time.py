"""The processor time of processes, from the kernel's count for each of them (/proc/<pid>/stat, proc(5))."""

import os
from collections.abc import Iterable
from typing import Final

from jobrunner.protocol import kernel_files

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_USER, _LAST = 11, 15
"""The positions of utime, stime, cutime and cstime after the name: fields 14 to 17."""


def cpu_seconds_of(pids: Iterable[int]) -> float:
    """Return the processor time of processes and of all that they have waited for; each within a tick (10 ms).

    List parents before their children. If a child ends between two of these looks and its parent waits for it, the
    child is then missing in this sum, and is in the next one. In the other order it would be counted twice.

    A process that has ended counts nothing. If nobody waited for it, because its parent ignores SIGCHLD, the kernel
    adds its time to no process: it is in no sum. Raises `OSError` if a living process can't be read.
    """
    ticks = 0
    for pid in pids:
        try:
            content = kernel_files.read(f"/proc/{pid}/stat")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in parentheses may contain anything, also parentheses.
        ticks += sum(map(int, content.rpartition(b")")[2].split()[_USER:_LAST]))
    return ticks / _TICKS_PER_SECOND
