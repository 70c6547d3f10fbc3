"""The processor time of processes, from the kernel's count for each of them (/proc/<pid>/stat, proc(5))."""

import os
from collections.abc import Iterable
from typing import Final

from jobrunner.protocol import kernel_files

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_USER, _LAST = 11, 15
"""Where utime, stime, cutime and cstime stand behind the name: fields 14 to 17."""


def cpu_seconds_of(pids: Iterable[int]) -> float:
    """Return the processor time of processes and of all that they have waited for; each within a tick (10 ms).

    Of one tree, parents before their children: a child that ends and is waited for between two of these looks is
    then missing in this sum, and is in the next. The other way round it would be counted twice.

    What has ended counts nothing. What ended without anybody waiting for it, because its parent ignores SIGCHLD, the
    kernel adds to nobody's count: it is in no sum. Raises `OSError` when a process that lives can't be read.
    """
    ticks = 0
    for pid in pids:
        try:
            content = kernel_files.read(f"/proc/{pid}/stat")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in parentheses may hold anything, also parentheses.
        ticks += sum(map(int, content.rpartition(b")")[2].split()[_USER:_LAST]))
    return ticks / _TICKS_PER_SECOND
