"""What the worker needs of Python and Linux."""

import ctypes
import os
import platform
import sys
from pathlib import Path
from typing import Final

from jobrunner.protocol.group_calls import ASK_ACTION, SECCOMP_NUMBER
from supervisor.commands.doctor.finding import Finding, failed, ok, warning
from supervisor.process.user_numbers import parse_users
from supervisor.settings.run_settings import DaemonSettings

_OLDEST_PYTHON: Final = (3, 11)
_GET_ACTION_AVAIL: Final = 2  # <linux/seccomp.h>
_PR_GET_CHILD_SUBREAPER: Final = 37
_TIMEX_BYTES: Final = 256  # more than struct timex has
_TIME_ERROR: Final = 5
_PING_RANGE: Final = Path("/proc/sys/net/ipv4/ping_group_range")


def python(settings: DaemonSettings) -> Finding:
    """Whether the worker is tested with this Python."""
    found = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return failed("python", f"Python {found} is too old.", "Use Python 3.11 or newer.")
    return ok("python", f"Python {found} at {sys.executable}")


def pidfd(settings: DaemonSettings) -> Finding:
    """Whether a descriptor can hold a process (Linux 5.3)."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError) as error:
        return failed("pidfd", f"Children can't be watched: {error}.", "Use Linux 5.4 or newer.")
    return ok("pidfd", f"Linux {platform.release()} lets the worker watch children by descriptor")


def subreaper(settings: DaemonSettings) -> Finding:
    """Whether this process can inherit what a job leaves behind (PR_SET_CHILD_SUBREAPER, Linux 3.4)."""
    answer = ctypes.c_int()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0) != 0:
        return failed("subreaper", "Processes that jobs leave behind would be lost.", "Use a newer kernel.")
    return ok("subreaper", "what jobs leave behind is found and killed")


def children_lists(settings: DaemonSettings) -> Finding:
    """Whether the kernel lists children (CONFIG_PROC_CHILDREN)."""
    if Path(f"/proc/self/task/{os.getpid()}/children").exists():
        return ok("children lists", "the kernel lists the children of a process")
    return warning(
        "children lists",
        "The kernel does not list children, so each look goes over all processes of the machine.",
        "Use a kernel with CONFIG_PROC_CHILDREN, as those of distributions have.",
    )


def process_groups(settings: DaemonSettings) -> Finding:
    """Whether the kernel asks the worker before a process of a job leaves its group (seccomp, Linux 5.7)."""
    action = ctypes.byref(ctypes.c_uint32(ASK_ACTION))
    number = SECCOMP_NUMBER.get(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    if number is not None and libc.syscall(number, _GET_ACTION_AVAIL, 0, action) == 0:
        return ok(
            "process groups", "a job that multiplies can be stopped, whatever groups and sessions it makes"
        )
    return warning(
        "process groups",
        "A job that keeps starting processes, each in a session of its own, can be faster than a worker that has "
        "neither a cgroup nor a real-time priority.",
        "Use Linux 5.7 or newer on x86_64 or aarch64, or give the service a cgroup (Delegate=yes).",
    )


def ping(settings: DaemonSettings) -> Finding:
    """Whether the groups of jobs may send pings: set-uid programs have no effect in a job."""
    try:
        first, last = map(int, _PING_RANGE.read_text().split())
    except (OSError, ValueError):
        return warning("ping", f"{_PING_RANGE} can't be read.", "The block `ping` may not work here.")
    # If jobs have their own users, the group has the user's number.
    groups = list(parse_users(settings.job_users)) if settings.job_users else [os.getegid()]
    raw = os.geteuid() == 0 and not settings.job_users
    if raw or (groups and first <= groups[0] and groups[-1] <= last):
        return ok("ping", "jobs may send pings")
    named = f"{groups[0]}-{groups[-1]}" if len(groups) > 1 else f"{groups[0]}"
    return warning(
        "ping",
        f"The block `ping` can't work: group {named} is not within net.ipv4.ping_group_range ({first} {last}).",
        "sysctl net.ipv4.ping_group_range='0 2147483647'",
    )


def clock(settings: DaemonSettings) -> Finding:
    """Whether something keeps the clock right (adjtimex(2), which changes nothing if it is asked for nothing)."""
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) == _TIME_ERROR:
        return warning(
            "clock",
            "The clock is not synchronized: times in logs may be wrong, and TLS may fail. Limits do not depend on it.",
            "Enable time synchronization (timedatectl set-ntp true).",
        )
    return ok("clock", "synchronized")
