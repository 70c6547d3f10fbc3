"""The memory controller's files: setting a limit, and the proof that the kernel enforced it."""

import contextlib
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups.own_directories import counts
from supervisor.verdict import OutOfMemory

_CLOSE_MB: Final = 1.0
"""A charge that does not fit leaves usage a little below the limit: the kernel charges 256 KiB at a time."""


def limit(directory: Path | str, version: int, memory_mb: float) -> None:
    """Limit memory, without a way into swap. Raises `OSError` when the limit itself can't be set.

    What counts is what the kernel charges: private memory, but also the page cache of files that the job was the first
    to touch (given back under pressure), what is in a tmpfs (not given back), and kernel memory of its sockets.
    """
    text = str(int(memory_mb * 2**20))
    if version == 1:
        kernel_files.write(f"{directory}/memory.limit_in_bytes", text)
        with contextlib.suppress(OSError):  # only where the kernel counts swap
            kernel_files.write(f"{directory}/memory.memsw.limit_in_bytes", text)
        return
    with contextlib.suppress(OSError):
        kernel_files.write(f"{directory}/memory.swap.max", "0")
    with contextlib.suppress(OSError):  # all of the job or nothing: a job without one of its processes hangs
        kernel_files.write(f"{directory}/memory.oom.group", "1")
    kernel_files.write(f"{directory}/memory.max", text)


def out_of_memory(directory: Path | str, version: int, limit_mb: float | None) -> OutOfMemory | None:
    """Return what the kernel's OOM killer did in this cgroup; `None` when it did nothing, or can't be asked.

    `oom_kill` counts a process of this cgroup whoever was out of memory: the job at its limit, the worker's unit or
    the machine. It was the job if its own limit was reached: `oom` of memory.events, which is counted where the limit
    stands (Documentation/admin-guide/cgroup-v2.rst); version 1 has only the highest usage for it, as newer kernels
    (seen on 6.18) leave memory.failcnt at 0.
    """
    file = f"{directory}/{'memory.events' if version == 2 else 'memory.oom_control'}"
    try:
        seen = counts(kernel_files.read(file))
        if not (kills := seen.get("oom_kill", 0)):
            return None
        if version == 2:
            reached = seen.get("oom", 0) > 0
        else:
            highest = int(kernel_files.read(f"{directory}/memory.max_usage_in_bytes"))
            reached = limit_mb is not None and highest >= (limit_mb - _CLOSE_MB) * 2**20
    except (OSError, ValueError):
        return None
    return OutOfMemory(kills, limit_mb if reached else None)
