"""What a process does to itself before it may run a block's code."""

import contextlib
import os
import resource
from typing import Final

from jobrunner.protocol import kernel_files
from jobrunner.protocol.confinement import Confinement

_OOM_SCORE_ADJ: Final = "500"
_NICENESS: Final = 5
_RESERVED_PROCESSES: Final = 64


def contain(confinement: Confinement) -> None:
    """Apply the limits of every child: no core file, killed first when memory runs out, and the given ones.

    This comes before a change of the user, because afterwards some limits can't be changed any more.
    """
    take_ordinary_priority()
    # If processors are short, the worker goes first: it keeps the heartbeat, and stops what must be stopped.
    os.nice(_NICENESS)
    _forbid_higher_priorities()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # CPython ignores SIGXFSZ, so a block sees EFBIG. A program that the block starts gets the signal.
    _lower(resource.RLIMIT_FSIZE, confinement.max_file_mb and confinement.max_file_mb * 2**20)
    if confinement.user is not None:
        # Without its own user, this would count all processes of all jobs and the supervisor, and never limit root.
        _lower(resource.RLIMIT_NPROC, confinement.max_processes)
        if not os.path.ismount("/dev/mqueue"):
            # A message queue stays when its job ends. Without the mount, nobody can find it then.
            _lower(resource.RLIMIT_MSGQUEUE, 0)
    else:
        _lower(resource.RLIMIT_NPROC, _without_reserve(resource.getrlimit(resource.RLIMIT_NPROC)[0]))
    with contextlib.suppress(OSError):
        kernel_files.write("/proc/self/oom_score_adj", _OOM_SCORE_ADJ)


def _forbid_higher_priorities() -> None:
    """Take away what allows a user real-time priorities and lower niceness: the worker would not run beside such a job.

    Ordinary users have neither, but users of audio programs may (limits.conf(5)).
    """
    for limit in (resource.RLIMIT_RTPRIO, resource.RLIMIT_NICE):
        if resource.getrlimit(limit) != (0, 0):
            _lower(limit, 0)


def limit_open_files(most: int | None) -> None:
    """Allow this process `most` descriptors, `None` for as many as it may have.

    Not together with the other limits, but after it has sent the last descriptor that the worker needs. To send one,
    its limit must be higher than the number that all jobs have on their way (`supervisor.process.open_files`).
    """
    _lower(resource.RLIMIT_NOFILE, most)


def take_ordinary_priority() -> None:
    """Give up the priority that the supervisor has while jobs run (`supervisor.process.realtime_priority`)."""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _without_reserve(limit: int) -> int | None:
    """Return how many processes a job may start for its user, `None` for as many as the user may.

    A fork bomb must not take the last ones: the supervisor, which has the same user, needs some threads to end it.
    """
    return limit - _RESERVED_PROCESSES if limit > 2 * _RESERVED_PROCESSES else None


def _lower(limit: int, wanted: int | None) -> None:
    """Set a soft and a hard limit, never above the present hard limit."""
    if wanted is None:
        return
    _, hard = resource.getrlimit(limit)
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(limit, (value, value))
