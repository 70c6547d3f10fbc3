"""The process groups of one job: known before they are made, so that a few signals reach all that the job has started.

A signal to a group is one step of the kernel: no fork gets ahead of it. A walk over processes is slower than a bomb,
unless this process comes before it. But a bomb may make a group of each process (`setsid`); so the kernel asks here
first (`jobrunner.group_filter`), and from `hold` on nobody gets an answer (`docs/adr/0014`).
"""

import asyncio
import contextlib
import errno
import os
import resource
import signal
import threading
from collections.abc import Callable
from typing import Final

from jobrunner.protocol.group_calls import GroupCall, leader_after
from supervisor.launcher.group_listener import Asked, GroupListener
from supervisor.process.proc import read_stat, status_of

_OF_THE_GROUP: Final = 1 << 2  # PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
_MOST_GROUPS: Final = 512
"""Of a job without a limit of processes. Each takes a descriptor; a job that wants more gets EAGAIN."""

_RESERVED_DESCRIPTORS: Final = 128
"""What jobs may not take of this process's descriptors by their groups. The kernel gives out the lowest free number."""


class ProcessGroups:
    """Knows the groups of one child and all it starts, where the kernel asks; else the child's own."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self._pid = pid
        self._pidfd = pidfd
        self._led: dict[int, int] = {}
        """Descriptors of those that lead, or led, a group of their own, by their numbers."""
        self._listener: GroupListener | None = None
        self._holding = False
        self._closed = False
        self._looked_at = threading.Lock()
        """Held by whoever uses a descriptor in a thread, or closes one: its number may be another's then."""
        self._unknown = False
        self._most: int | None = None
        self._on_many: Callable[[int], None] = _nothing

    def listen(self, descriptor: int) -> None:
        """Be asked by the kernel from now on; `descriptor` is this object's from here."""
        self._listener = GroupListener(descriptor)
        asyncio.get_running_loop().add_reader(descriptor, self._answer)

    @property
    def complete(self) -> bool:
        """Whether every process of the job is in a group that is known here."""
        return self._listener is not None and not self._unknown

    def watch(self, most: int | None, on_many: Callable[[int], None]) -> None:
        """Hold, and call `on_many` with the number of groups, when the job has more than `most` besides its own.

        Each has a process at least. A bomb is noticed this way at its own pace.
        """
        self._most, self._on_many = most, on_many

    def tell_nobody(self) -> None:
        """Hold a job that has too many all the same, but call nobody."""
        self._on_many = _nothing

    def hold(self) -> None:
        """Answer no more: who is about to leave its group waits in the kernel until it is killed."""
        if not self._holding and self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
        self._holding = True

    def send(self, number: int) -> None:
        """Signal all groups. To be called after `hold`.

        Twice: who was allowed to leave a moment ago may be on its way, and the first round may come too early for the
        new group and too late for the old one. It can't be in the second.
        """
        with self._looked_at:
            for _ in range(0 if self._closed else 2):
                for pid, descriptor in ((self._pid, self._pidfd), *self._led.items()):
                    self._send(pid, descriptor, number)

    def has(self, pid: int) -> bool:
        """Whether the process `pid` is alive and in one of these groups."""
        stat = read_stat(pid)
        return stat is not None and stat.lives and (stat.group == self._pid or stat.group in self._led)

    def has_group(self, number: int) -> bool:
        """Whether the process group with this number is the job's. What was its may be another's, once it is empty."""
        with self._looked_at:
            descriptor = self._pidfd if number == self._pid else self._led.get(number)
            if descriptor is None or self._closed:
                return False
            return _is_there(descriptor) or _has_members(number, descriptor)

    def _send(self, pid: int, descriptor: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _signal_group(descriptor, number):
                return
            if _is_there(descriptor):  # and so is its number, which is that of its group
                os.killpg(pid, number)
            elif _has_members(pid, descriptor):
                self._unknown = True

    def _answer(self) -> None:
        listener = self._listener
        if listener is None or self._holding:
            return
        asked = listener.receive()
        if asked is None:
            if listener.is_over():
                asyncio.get_running_loop().remove_reader(listener.fileno())
            return
        try:
            known = self._know_leader(asked)
        except ProcessLookupError:
            # Not left to the kernel, which looks later: somebody may have the number by then.
            listener.deny(asked)
        except PermissionError:
            listener.forbid(asked)
        except OSError:  # no descriptor, or no memory, is left for it
            listener.refuse(asked)
        else:
            if known:
                self._allow(listener, asked)

    def _allow(self, listener: GroupListener, asked: Asked) -> None:
        most = _MOST_GROUPS if self._most is None else self._most
        if len(self._led) > most:
            self._forget_empty()
        if len(self._led) <= most:
            listener.allow(asked)
        elif self._most is None:
            listener.refuse(asked)
        else:
            self.hold()
            self._on_many(len(self._led))

    def _know_leader(self, asked: Asked) -> bool:
        """Know who leads the new group, if there will be one. Returns false where nobody waits for an answer any more.

        Raises `OSError` when the call may not go on: what this process can't look at would be a group that it does
        not know.
        """
        call = asked.call
        if call is None:
            return True
        status = status_of(asked.thread)
        if "Tgid" not in status:
            if self._still_waits(asked):
                raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            return False
        caller = int(status["Tgid"])
        if len(status.get("NSpid", "").split()) > 1 and (call.process or call.group):
            # Numbers in a namespace of processes are others. Who holds the job's session is in none of those.
            self._unknown = True
            return True
        if self._joins_another_s(call, caller):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        leader = leader_after(call, caller)
        if leader is not None and leader == _session(asked.thread):
            # The kernel moves nobody who leads a session, and looks later: who holds the job's would be known as one
            # of the job's by then, and be stopped and killed with it.
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return leader is None or self._learn(asked, leader)

    def _joins_another_s(self, call: GroupCall, caller: int) -> bool:
        """Whether a process would get into a group that is not the job's: that of who holds its session."""
        if call.group <= 0 or call.group == self._pid or call.group in self._led:
            return False
        return call.group != (call.process or caller)

    def _still_waits(self, asked: Asked) -> bool:
        return self._listener is not None and self._listener.still_waits(asked)

    def _learn(self, asked: Asked, leader: int) -> bool:
        """Open the leader, unless it is known. Returns false where nobody waits for an answer any more.

        Raises `ProcessLookupError` when there is no such process, and `OSError` when it can't be looked at.
        """
        descriptor = os.pidfd_open(leader)
        if descriptor >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED_DESCRIPTORS:
            os.close(descriptor)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        known = self._led.get(leader)
        # The kernel lets only processes of the caller's session be moved; a number may be a stranger's by now.
        session, callers = _session(leader), _session(asked.thread)
        waits = self._still_waits(asked)
        if waits and (session is None or callers is None):
            os.close(descriptor)
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if not (session == callers and waits) or (known is not None and _is_there(known)):
            os.close(descriptor)
            return waits
        with self._looked_at:
            self._led[leader] = descriptor
            if known is not None:
                os.close(known)
        return True

    def _forget_empty(self) -> None:
        for pid, descriptor in list(self._led.items()):
            if not _is_there(descriptor) and not _has_members(pid, descriptor):
                with self._looked_at:
                    os.close(self._led.pop(pid))

    def close(self) -> None:
        """Close every descriptor. Who still waits, or calls later, gets ENOSYS."""
        self.hold()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        with self._looked_at:
            self._closed = True
            while self._led:
                os.close(self._led.popitem()[1])


def _is_there(descriptor: int) -> bool:
    """Whether a process was not waited for yet, so that its number is its own."""
    try:
        signal.pidfd_send_signal(descriptor, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _session(pid: int) -> int | None:
    stat = read_stat(pid)
    return None if stat is None else stat.session


def _has_members(pid: int, descriptor: int) -> bool:
    """Whether the group that `pid` has led, before it was waited for, may have members."""
    try:
        if _signal_group(descriptor, 0):
            return True
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Somebody else who has this number could not have got it while the group had members.
    return read_stat(pid) is None


def _signal_group(descriptor: int, number: int) -> bool:
    """Signal the group of which this process is, or was, the leader. Returns false where the kernel can't.

    Raises `ProcessLookupError` when it has no members.
    """
    try:
        signal.pidfd_send_signal(descriptor, number, None, _OF_THE_GROUP)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False
    return True


def _nothing(_count: int) -> None:
    """What happens to most counts before there is a job."""
