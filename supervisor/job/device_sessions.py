"""The worker's answers to jobs that want a session on a device: what `lifecycle.device_sessions` says."""

from collections.abc import Callable, Iterable

from jobrunner.protocol.messages import SessionClosed, SessionGranted, SessionWanted
from supervisor.lifecycle.device_sessions import DeviceSessions, Granted


class SessionDesk:
    """One for all jobs of a worker. `limit` is how many sessions a device may have, 0 for any number."""

    def __init__(self, limit: int = 0) -> None:
        self._sessions = DeviceSessions(limit)
        self._send: dict[int, Callable[[bytes], None]] = {}

    def set_limit(self, limit: int) -> None:
        """Count by another limit from now on."""
        self._tell(self._sessions.set_limit(limit))

    def take(self, pid: int, send: Callable[[bytes], None], message: SessionWanted | SessionClosed) -> None:
        """Hear what the job says whose child has this pid. `send` takes a frame for it, and never waits."""
        self._send[pid] = send
        if isinstance(message, SessionWanted):
            self._tell(self._sessions.ask(pid, message.number, message.device))
        else:
            self._tell(self._sessions.give_back(pid, message.number))

    def withdraw(self, pid: int) -> None:
        """Grant the job nothing more that it has asked for."""
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
    """What one job's execution needs of the desk. `send` takes a frame for its child, and never waits."""

    def __init__(self, desk: SessionDesk, pid: int, send: Callable[[bytes], None]) -> None:
        self._desk = desk
        self._pid = pid
        self._send = send
        self._may_ask = True

    def take(self, message: SessionWanted | SessionClosed) -> None:
        """Hear what the job says; the answer goes to whoever waits."""
        if self._may_ask or isinstance(message, SessionClosed):
            self._desk.take(self._pid, self._send, message)

    def child_exited(self) -> None:
        """Grant nothing more, as nobody would use it. What the job has, it has until all its processes are gone."""
        self._may_ask = False
        self._desk.withdraw(self._pid)

    def leave(self) -> None:
        """Take back all that the job had."""
        self._desk.leave(self._pid)
