"""What a process does to itself before it may run code of a block."""

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
