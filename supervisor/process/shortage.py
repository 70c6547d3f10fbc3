"""Explains that the machine has no more processes, threads, memory or descriptors, and what helps."""

import errno
import os
from typing import Final

_PROCESSES: Final = "Raise the limit of processes (ulimit -u, TasksMax of the systemd unit, pids.max)."
_ADVICE: Final = {
    errno.EAGAIN: _PROCESSES,
    errno.EMFILE: "Raise the limit of open files (ulimit -n, LimitNOFILE of the systemd unit).",
    errno.ENFILE: "Raise the machine's limit of open files (sysctl fs.file-max).",
    errno.ETOOMANYREFS: "Other processes of this user hold too many descriptors back in sockets. End them, or raise "
    "the worker's limit of open files (ulimit -n, LimitNOFILE of the systemd unit).",
    errno.ENOMEM: "Give the machine, or the worker's cgroup, more memory.",
}
_EXPLAINED: Final = _ADVICE | {
    errno.ENOSPC: "If no disk is full, the processes of this user watch too many descriptors: end some, or raise "
    "their limit (sysctl fs.epoll.max_user_watches).",
}
"""Not a shortage in `is_shortage`: it may be a disk. At its limit, epoll_ctl(2) fails with the same number."""


def is_shortage(error: BaseException) -> bool:
    """Whether `error` passes by itself as soon as others have freed what they hold."""
    # CPython raises a plain RuntimeError, without an errno, if the kernel refuses a thread.
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno in _ADVICE)
        or "can't start new thread" in str(error)
    )


def explain(error: OSError | RuntimeError | MemoryError) -> str:
    """Return as sentences what is missing, with the kernel's own name for it, and what to do."""
    if isinstance(error, MemoryError):  # it has no errno and no text
        error = OSError(errno.ENOMEM, "")
    number = error.errno if isinstance(error, OSError) else None
    reason = f"{os.strerror(number)} ({errno.errorcode.get(number, number)})" if number else str(error)
    advice = _EXPLAINED.get(number or 0, "") if isinstance(error, OSError) else _PROCESSES
    return f"{reason}. {advice}".rstrip()


def explain_refused_fork(number: int) -> str:
    """Return as sentences why the kernel gives no process, by its errno (0: not known), and what to do."""
    reason = explain(OSError(number or errno.EAGAIN, ""))
    if number in (errno.EPERM, errno.ENOSYS):
        reason += (
            " A filter of system calls forbids it: see SystemCallFilter= of the unit, or the container's."
        )
    return reason
