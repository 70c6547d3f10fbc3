"""Looks at a template that does not answer, and at its unreaped forks."""

import contextlib

from jobrunner.protocol import kernel_files
from supervisor.lifecycle.template_silence import Look
from supervisor.process.proc import children_of_thread, read_stat


def look_at(pid: int) -> Look:
    """Return the state of the template `pid`. Takes a few reads of /proc."""
    stat = read_stat(pid)
    worked = [_worked(process) for process in (pid, *forks_of(pid))]
    known = [one for one in worked if one is not None]
    return Look("" if stat is None else stat.state, sum(known) if known else None)


def _worked(pid: int) -> int | None:
    """Return the main thread's nanoseconds on a core and waiting for one (Documentation/scheduler/sched-stats.rst)."""
    with contextlib.suppress(OSError, ValueError):
        ran, waited, _ = kernel_files.read(f"/proc/{pid}/schedstat").split()
        return int(ran) + int(waited)
    return None


def forks_of(pid: int) -> list[int]:
    """Return the template's unreaped forks: a middle process exists only for a short time."""
    with contextlib.suppress(OSError):
        return children_of_thread(pid, str(pid))
    return []
