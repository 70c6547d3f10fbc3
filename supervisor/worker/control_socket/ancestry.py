"""From which processes a process descends, proven and not only read: a number may be given to another at any time."""

import select
from typing import Final, NamedTuple

from supervisor.errors import SupervisorError
from supervisor.process.proc import read_stat

_DEEPEST: Final = 256
"""A longer line of ancestors is refused: to follow it holds the loop. A shell in a container has some ten."""
_TRIES: Final = 3


class NotProvenError(SupervisorError):
    """It can't be said for certain from whom a process descends. The text says why."""


class Ancestor(NamedTuple):
    """A process: `started` is in clock ticks since the machine's boot, and with the pid unique."""

    pid: int
    started: int
    name: bytes


def ancestors_of(pid: int, pidfd: int) -> list[Ancestor]:
    """Return the processes from one up to the first one of the machine or container, itself included.

    `pidfd` is the process's own. Raises `NotProvenError` where it, or the line of its ancestors, changes meanwhile:
    who asks for something waits for the answer, and so do the shells above. An orphan is given to an ancestor, never
    past one that is a subreaper, so what the supervisor has started stays below it, however often it forks.
    """
    for _ in range(_TRIES):
        chain = _chain(pid)
        # What was read belongs together if it is still so: nobody on the way had another parent, or another's number.
        if _chain(pid) == chain and not _has_ended(pidfd):
            return chain
    raise NotProvenError("its ancestry changed while it was looked at")


def _chain(pid: int) -> list[Ancestor]:
    chain: list[Ancestor] = []
    while pid > 0:
        stat = read_stat(pid)
        if stat is None:
            raise NotProvenError(f"its ancestry can't be read (process {pid})")
        if chain and stat.started > chain[-1].started:  # the number of a parent that has ended
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
