"""Looking at a template that does not answer, and at what it has forked and not waited for."""

import contextlib

from jobrunner.protocol import kernel_files
from supervisor.lifecycle.template_silence import Look
from supervisor.process.proc import children_of_thread, read_stat


def look_at(pid: int) -> Look:
    """Return how the template `pid` is. Takes a few reads of /proc."""
    stat = read_stat(pid)
    worked = [_worked(process) for process in (pid, *forks_of(pid))]
    known = [one for one in worked if one is not None]
    return Look("" if stat is None else stat.state, sum(known) if known else None)


def _worked(pid: int) -> int | None:
    """Nanoseconds on a core and waiting for one (Documentation/scheduler/sched-stats.rst), the main thread's."""
    with contextlib.suppress(OSError, ValueError):
        ran, waited, _ = kernel_files.read(f"/proc/{pid}/schedstat").split()
        return int(ran) + int(waited)
    return None


def forks_of(pid: int) -> list[int]:
    """Return what the template has forked and not waited for: a middle process, as long as it takes."""
    with contextlib.suppress(OSError):
        return children_of_thread(pid, str(pid))
    return []
