"""The memory controller's files: they set a limit, and prove that the kernel enforced it."""

import contextlib
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups.own_directories import counts
from supervisor.verdict import OutOfMemory

_CLOSE_MB: Final = 1.0
"""A charge that does not fit leaves usage a little below the limit: the kernel charges 256 KiB at a time."""


def limit(directory: Path | str, version: int, memory_mb: float) -> None:
    """Limit memory, and swap with it. Raises `OSError` if the limit itself can't be set.

    The kernel counts private memory, and also the page cache of files that the job was the first to touch (freed under
    pressure), files in a tmpfs (not freed), and the kernel memory of its sockets.
    """
    text = str(int(memory_mb * 2**20))
    if version == 1:
        kernel_files.write(f"{directory}/memory.limit_in_bytes", text)
        with contextlib.suppress(OSError):  # it exists only if the kernel counts swap
            kernel_files.write(f"{directory}/memory.memsw.limit_in_bytes", text)
        return
    with contextlib.suppress(OSError):
        kernel_files.write(f"{directory}/memory.swap.max", "0")
    with contextlib.suppress(OSError):  # kill the whole job: one without one of its processes would hang
        kernel_files.write(f"{directory}/memory.oom.group", "1")
    kernel_files.write(f"{directory}/memory.max", text)


def out_of_memory(directory: Path | str, version: int, limit_mb: float | None) -> OutOfMemory | None:
    """Return what the kernel's OOM killer did in this cgroup; `None` if it did nothing, or can't be asked.

    `oom_kill` counts a killed process of this cgroup, whether the job, the worker's unit or the machine was out of
    memory. It was the job if its own limit was reached. Version 2 shows that by `oom` of memory.events, which counts
    where the limit is (Documentation/admin-guide/cgroup-v2.rst). Version 1 shows only the highest usage: newer kernels
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
