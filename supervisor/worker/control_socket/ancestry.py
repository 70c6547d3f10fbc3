"""The ancestors of a process, proven and not only read: a pid may get another process at any time."""

import select
from typing import Final, NamedTuple

from supervisor.errors import SupervisorError
from supervisor.process.proc import read_stat

_DEEPEST: Final = 256
"""A longer line of ancestors is refused: following it would hold up the loop. A shell in a container has about ten."""
_TRIES: Final = 3


class NotProvenError(SupervisorError):
    """It is not certain from whom a process descends. The text says why."""


class Ancestor(NamedTuple):
    """A process. `started` is in clock ticks since the machine's boot, and together with the pid it is unique."""

    pid: int
    started: int
    name: bytes


def ancestors_of(pid: int, pidfd: int) -> list[Ancestor]:
    """Return the processes from this one up to the first one of the machine or container, itself included.

    `pidfd` is the process's own. Raises `NotProvenError` if the process, or the line of its ancestors, changes
    meanwhile: a client waits for its answer, and so do the shells above it. The kernel gives an orphan to an ancestor,
    never past a subreaper. So what the supervisor has started stays below it, however often it forks.
    """
    for _ in range(_TRIES):
        chain = _chain(pid)
        # If all is unchanged now, the read belongs together: no process on the way had another parent, or a reused pid.
        if _chain(pid) == chain and not _has_ended(pidfd):
            return chain
    raise NotProvenError("its ancestry changed while it was looked at")


def _chain(pid: int) -> list[Ancestor]:
    chain: list[Ancestor] = []
    while pid > 0:
        stat = read_stat(pid)
        if stat is None:
            raise NotProvenError(f"its ancestry can't be read (process {pid})")
        if chain and stat.started > chain[-1].started:  # the parent has ended, and its pid was reused
            raise NotProvenError(
                f"its ancestry is unclear (process {pid} is younger than what it has started)"
            )
        chain.append(Ancestor(pid, stat.started, stat.name))
        if len(chain) > _DEEPEST:
            raise NotProvenError("its ancestry is too long")
        pid = stat.parent
    return chain


def _has_ended(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))
