"""What the machine says when it has no more processes, threads, memory or descriptors to give, and what helps."""

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


def is_shortage(error: BaseException) -> bool:
    """Whether `error` passes by itself, as soon as others have given back what they hold."""
    # CPython raises a plain RuntimeError for a thread that the kernel refuses, and keeps no number.
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno in _ADVICE)
        or "can't start new thread" in str(error)
    )


def explain(error: OSError | RuntimeError | MemoryError) -> str:
    """Return what is missing, by the kernel's own name for it too, and what to do, as sentences."""
    if isinstance(error, MemoryError):  # it has neither a number nor a text
        error = OSError(errno.ENOMEM, "")
    number = error.errno if isinstance(error, OSError) else None
    reason = f"{os.strerror(number)} ({errno.errorcode.get(number, number)})" if number else str(error)
    advice = _ADVICE.get(number or 0, "") if isinstance(error, OSError) else _PROCESSES
    return f"{reason}. {advice}".rstrip()


def explain_refused_fork(number: int) -> str:
    """Return why the kernel gives no process, by its errno (0: not known), and what to do, as sentences."""
    reason = explain(OSError(number or errno.EAGAIN, ""))
    if number in (errno.EPERM, errno.ENOSYS):
        reason += (
            " A filter of system calls forbids it: see SystemCallFilter= of the unit, or the container's."
        )
    return reason
