"""Who may ask: root, the worker's user, and members of a group; never a process that a job has started, or may have."""

import os
import socket
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from supervisor.errors import SupervisorError
from supervisor.process.kept import KEEPER_NAME
from supervisor.process.user_names import user_name
from supervisor.worker.control_socket.ancestry import NotProvenError, ancestors_of
from supervisor.worker.control_socket.known_jobs import KnownJobs
from supervisor.worker.control_socket.protocol import Peer

_CREDENTIALS: Final = struct.Struct("iII")  # struct ucred, unix(7)
_SO_PEERGROUPS: Final = 59
_SO_PEERPIDFD: Final = 77  # Linux 6.5
_KEEPER_NAME: Final = KEEPER_NAME.encode()
_MOST_GROUPS: Final = 256
"""As many as fit into Python's `getsockopt`. If a process has more, only its own group counts."""


class RefusedError(SupervisorError):
    """This client may not ask. The text is for the worker's log only, never for the client."""

    def __init__(self, pid: int, uid: int, reason: str) -> None:
        super().__init__(reason)
        self.pid = pid
        self.uid = uid


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom a worker lets in, besides root."""

    owner: int
    group: int | None = None
    job_users: Collection[int] = ()
    below: Collection[int] = ()
    """Pids with jobs below them: the supervisor and its keeper."""


Admit = Callable[[socket.socket], Peer]
"""Returns the client that has connected. Raises `RefusedError`."""


def admit(connection: socket.socket, rules: Rules, jobs: KnownJobs | None = None) -> Peer:
    """Return the client that has connected. Raises `RefusedError` if it may not ask, or may belong to a job.

    `jobs` remembers processes found to be jobs': refusing one again costs almost nothing.
    """
    pid, uid, _ = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )

    def refused(reason: str) -> RefusedError:
        return RefusedError(pid, uid, reason)

    if pid <= 0:
        raise refused("it is in a PID namespace of which this worker sees nothing")
    if uid in rules.job_users:
        raise refused("it has a user of the jobs")
    if uid not in (0, rules.owner) and (rules.group is None or rules.group not in _groups_of(connection)):
        raise refused("its user may not control this worker")
    if jobs is not None and jobs.has(pid):
        raise refused("it was started by a job, and has been refused before")
    try:
        descriptor = _pidfd_of(connection, pid)
    except OSError:
        raise refused("it has ended") from None
    try:
        chain = ancestors_of(pid, descriptor)
        for above in chain:
            # A process can't take another's name: a job of this or another worker has started what is below this one.
            if above.pid in rules.below or above.name == _KEEPER_NAME:
                if jobs is not None:
                    jobs.add(chain[0])
                raise refused(f"it was started by a job (it is below process {above.pid})")
    except NotProvenError as error:
        raise refused(str(error)) from None
    finally:
        os.close(descriptor)
    return Peer(pid, uid, user_name(uid))


def _pidfd_of(connection: socket.socket, pid: int) -> int:
    """Return a pidfd of the client itself if the kernel gives one, otherwise of the process with its pid now."""
    try:
        return connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        return os.pidfd_open(pid)


def _groups_of(connection: socket.socket) -> set[int]:
    """Return the client's groups: the supplementary ones, and the group in its credentials."""
    _, _, gid = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    try:
        listed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS * 4)
    except OSError:  # more than fit
        return {gid}
    return {gid, *(number for (number,) in struct.iter_unpack("I", listed))}
