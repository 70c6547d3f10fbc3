"""The worker's answers to jobs that want a session on a device, decided by `lifecycle.device_sessions`."""

from collections.abc import Callable, Iterable

from jobrunner.protocol.messages import SessionClosed, SessionGranted, SessionWanted
from supervisor.lifecycle.device_sessions import DeviceSessions, Granted


class SessionDesk:
    """One for all jobs of a worker. `limit` is how many sessions a device may have, 0 for any number."""

    def __init__(self, limit: int = 0) -> None:
        self._sessions = DeviceSessions(limit)
        self._send: dict[int, Callable[[bytes], None]] = {}

    def set_limit(self, limit: int) -> None:
        """From now on, count with another limit."""
        self._tell(self._sessions.set_limit(limit))

    def take(self, pid: int, send: Callable[[bytes], None], message: SessionWanted | SessionClosed) -> None:
        """Handle a message of the job whose child has this pid. `send` takes a frame for it, and never waits."""
        self._send[pid] = send
        if isinstance(message, SessionWanted):
            self._tell(self._sessions.ask(pid, message.number, message.device))
        else:
            self._tell(self._sessions.give_back(pid, message.number))

    def withdraw(self, pid: int) -> None:
        """Grant the job no more of the sessions that it has asked for."""
        if pid in self._send:
            self._tell(self._sessions.withdraw(pid))

    def leave(self, pid: int) -> None:
        """Take back all that the job had: its process is gone."""
        if self._send.pop(pid, None) is not None:
            self._tell(self._sessions.end(pid))

    def _tell(self, granted: Iterable[Granted]) -> None:
        for each in granted:
            self._send[each.job](SessionGranted(number=each.number).pack())


class JobSessions:
    """The part of the desk for one job's execution. `send` takes a frame for its child, and never waits."""

    def __init__(self, desk: SessionDesk, pid: int, send: Callable[[bytes], None]) -> None:
        self._desk = desk
        self._pid = pid
        self._send = send
        self._may_ask = True

    def take(self, message: SessionWanted | SessionClosed) -> None:
        """Handle a message of the job; the answer goes to the job whose turn it is."""
        if self._may_ask or isinstance(message, SessionClosed):
            self._desk.take(self._pid, self._send, message)

    def child_exited(self) -> None:
        """Grant nothing more, because nobody would use it. The job keeps its sessions until its processes are gone."""
        self._may_ask = False
        self._desk.withdraw(self._pid)

    def leave(self) -> None:
        """Take back all that the job had."""
        self._desk.leave(self._pid)
