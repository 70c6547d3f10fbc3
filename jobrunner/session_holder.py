"""A session holder: a fork of the template that leads a session, and forks children into it, one after the other.

A child must be in a separate session that it does not lead (`docs/adr/0020`), and only a process in a session can fork
into it. So the session exists before the child, and when nothing of a job is left, the next child is born into it. A
child is the supervisor's from its first moment: no process in between must copy and free the memory of both.
"""

import functools
import os
import socket
from collections.abc import Callable
from typing import Final, NoReturn

from jobrunner.bootstrap import become_child, tie_life_to
from jobrunner.child import live
from jobrunner.isolation.child import ForkedIsolation
from jobrunner.isolation.shared_paths import SharedPaths
from jobrunner.middle import live_or_end
from jobrunner.protocol import linux
from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import (
    ChildRequest,
    SessionRequest,
    Started,
    announce_start,
    receive_fork_request,
)
from jobrunner.single_fork import fork_from_parent

_SCHEDULING_GROUP: Final = "/proc/self/autogroup"
_GROUP_BYTES: Final = 64
"""More than its one line has."""


def start_session_holder(
    supervisor_pid: int, control: socket.socket, asked: SessionRequest, shared_paths: SharedPaths
) -> None:
    """Fork a session holder, and announce it over `control`."""

    def hold() -> NoReturn:
        # Otherwise nobody would notice the template's end as long as this process lives.
        control.close()
        _hold(supervisor_pid, socket.socket(fileno=asked.control_fd), shared_paths)

    _fork(control, asked.request, hold)
    os.close(asked.control_fd)


def _fork(control: socket.socket, request: int, be_the_fork: Callable[[], NoReturn]) -> None:
    """Fork once. Announce over `control` the process that does `be_the_fork`, or why there is none."""
    try:
        pid = fork_from_parent()
    except OSError as error:
        announce_start(control, Started(request, 0, error.errno or 0))
        return
    if pid == 0:
        live_or_end(be_the_fork)
    announce_start(control, Started(request, pid))


def _hold(supervisor_pid: int, control: socket.socket, shared_paths: SharedPaths) -> NoReturn:
    """Fork children until the supervisor closes the socket or dies."""
    tie_life_to(supervisor_pid)
    control.setblocking(True)  # a block's module may have set a default timeout for new sockets
    linux.set_process_name("neops-session")
    share, is_leader = SessionShare(), False
    while (asked := receive_fork_request(control)) is not None:
        # Before it leads a session, it has the template's share of processors, which anybody may have changed.
        if isinstance(asked, SessionRequest) or (is_leader and not share.is_ordinary()):
            break
        if not is_leader:
            # Not before the first request: until it is announced, others know this process by the template's session.
            os.setsid()
            is_leader = True
        shared_paths.open()
        child = functools.partial(live_as_child, supervisor_pid, asked, shared_paths)
        _fork(control, asked.request, child)
        asked.descriptors.close()
    os._exit(0)


class SessionShare:
    """The processor share of this process's session. Its file stays open between checks."""

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def is_ordinary(self) -> bool:
        """Return whether it is the ordinary share. A job may have changed it for good."""
        try:
            if self._descriptor is None:
                self._descriptor = os.open(_SCHEDULING_GROUP, os.O_RDONLY | os.O_CLOEXEC)
            group = os.pread(self._descriptor, _GROUP_BYTES, 0)
        except OSError:
            return True  # the kernel does not share processors by sessions
        return not group or group.endswith(b" nice 0\n")


def live_as_child(supervisor_pid: int, asked: ChildRequest, shared_paths: SharedPaths) -> NoReturn:
    """Be a child: get ready, run one job, end. Raises `IsolationError`."""
    isolation, confinement = ForkedIsolation(shared_paths), Confinement.unpack(asked.confinement)
    taken = become_child(supervisor_pid, asked.descriptors, confinement, isolation)
    live(taken, confinement.max_open_files, isolation, rehearses=asked.rehearses)
