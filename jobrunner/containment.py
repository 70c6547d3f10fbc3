"""What a process does to itself before it may run code of a block."""

import contextlib
import ctypes
import os
import resource
import struct
from typing import Final

from jobrunner.protocol import kernel_files, linux
from jobrunner.protocol.confinement import Confinement

# Landlock's system calls have these numbers on every architecture (they came after the numbers were unified).
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_CREATE_RULESET_VERSION: Final = 1
_SCOPE_SIGNAL: Final = 1 << 1
_FIRST_ABI_WITH_SCOPES: Final = 6

_OOM_SCORE_ADJ: Final = "500"
_NICENESS: Final = 5
_RESERVED_PROCESSES: Final = 64


def contain_signals() -> bool:
    """Forbid this process and its descendants to signal anything outside themselves (Landlock, Linux 6.12).

    Without it a block could stop the supervisor, or another job, with one `os.kill`. Returns whether the kernel
    can do it; where it can't, only a user of their own (`--job-users`) keeps jobs from signalling the supervisor.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION) < _FIRST_ABI_WITH_SCOPES:
        return False
    # struct landlock_ruleset_attr: handled_access_fs, handled_access_net, scoped. Files and network stay open.
    attributes = struct.pack("QQQ", 0, 0, _SCOPE_SIGNAL)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        return bool(libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def contain(confinement: Confinement) -> None:
    """Apply the limits that every child has: no core file, first to go when memory runs out, and those given.

    Before a change of the user, which ends the right to change some of it.
    """
    take_ordinary_priority()
    # The worker comes first where processors are short: it is what keeps the heartbeat, and stops what must stop.
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # CPython ignores SIGXFSZ, so that a block sees EFBIG; a program that it starts gets the signal.
    _lower(resource.RLIMIT_FSIZE, confinement.max_file_mb and confinement.max_file_mb * 2**20)
    if confinement.user is not None:
        # Without a user of its own this would count what all jobs and the supervisor run, and never bind root.
        _lower(resource.RLIMIT_NPROC, confinement.max_processes)
        if not os.path.ismount("/dev/mqueue"):
            # A message queue stays when its job ends, and without the mount nobody can find it afterwards.
            _lower(resource.RLIMIT_MSGQUEUE, 0)
    else:
        _lower(resource.RLIMIT_NPROC, _without_reserve(resource.getrlimit(resource.RLIMIT_NPROC)[0]))
    with contextlib.suppress(OSError):
        kernel_files.write("/proc/self/oom_score_adj", _OOM_SCORE_ADJ)


def limit_open_files(most: int | None) -> None:
    """Allow this process `most` descriptors, `None` for as many as it may have.

    Not with the other limits, but when it has sent the last descriptor that the worker needs: to send one it must be
    allowed more than are on their way from all jobs (`supervisor.process.open_files`).
    """
    _lower(resource.RLIMIT_NOFILE, most)


def take_ordinary_priority() -> None:
    """Give up the priority that the supervisor has while jobs run (`supervisor.process.realtime_priority`)."""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def forbid_escape() -> None:
    """Give up new privileges, and signals to anything outside of this process and its descendants."""
    linux.forbid_new_privileges()
    contain_signals()


def _without_reserve(limit: int) -> int | None:
    """Return how many processes a job's user may have as far as the job is concerned, `None` for as many as it may.

    A bomb must not take the last ones: the supervisor, of the same user, needs some threads to end it.
    """
    return limit - _RESERVED_PROCESSES if limit > 2 * _RESERVED_PROCESSES else None


def _lower(limit: int, wanted: int | None) -> None:
    """Set a soft and a hard limit, never above the hard limit that there is."""
    if wanted is None:
        return
    _, hard = resource.getrlimit(limit)
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(limit, (value, value))
