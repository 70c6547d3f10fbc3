"""The process groups of one job. They are known before they are made, so a few signals reach all the job's processes.

A signal to a group is one step of the kernel: no fork can get ahead of it. A walk over processes is slower than a bomb,
unless this process runs before the bomb. But a bomb may make a group of each process (`setsid`). So the kernel asks
here first (`jobrunner.group_filter`), and after `hold` nobody gets an answer (`docs/adr/0014`).
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
"""For a job without a limit of processes. Each group takes a descriptor; a job that wants more gets EAGAIN."""

_RESERVED_DESCRIPTORS: Final = 128
"""Descriptors of this process that jobs' groups may not take. The kernel always gives out the lowest free number."""


class ProcessGroups:
    """Knows the groups of one child and of all it starts, if the kernel asks; otherwise only the child's own group."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self._pid = pid
        self._pidfd = pidfd
        self._led: dict[int, int] = {}
        """Descriptors of processes that lead, or led, their own group, by their numbers."""
        self._listener: GroupListener | None = None
        self._holding = False
        self._closed = False
        self._looked_at = threading.Lock()
        """Held while a thread uses a descriptor, or closes one: its number may belong to another file afterwards."""
        self._unknown = False
        self._most: int | None = None
        self._on_many: Callable[[int], None] = _nothing

    def listen(self, descriptor: int) -> None:
        """Take the kernel's questions from now on. This object owns `descriptor` from here."""
        self._listener = GroupListener(descriptor)
        asyncio.get_running_loop().add_reader(descriptor, self._answer)

    @property
    def complete(self) -> bool:
        """Whether every process of the job is in a group that is known here."""
        return self._listener is not None and not self._unknown

    def watch(self, most: int | None, on_many: Callable[[int], None]) -> None:
        """If the job has more than `most` groups besides its own, hold, and call `on_many` with their number.

        Each group has at least one process. So a bomb is noticed as fast as it grows.
        """
        self._most, self._on_many = most, on_many

    def tell_nobody(self) -> None:
        """Still hold a job that has too many, but call nobody."""
        self._on_many = _nothing

    def hold(self) -> None:
        """Stop answering: a process that wants to leave its group waits in the kernel until it is killed."""
        if not self._holding and self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
        self._holding = True

    def send(self, number: int) -> None:
        """Signal all groups. Call it after `hold`.

        Twice: a process that was allowed to leave a moment ago may be on its way. The first round may come too early
        for its new group and too late for the old one. The second round reaches it.
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
        """Whether this process group is the job's. Once it is empty, another job may get its number."""
        with self._looked_at:
            descriptor = self._pidfd if number == self._pid else self._led.get(number)
            if descriptor is None or self._closed:
                return False
            return _is_there(descriptor) or _has_members(number, descriptor)

    def _send(self, pid: int, descriptor: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _signal_group(descriptor, number):
                return
            if _is_there(descriptor):  # then its number, which is also its group's, is still its own
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
            # Don't leave it to the kernel, which looks later: another process may have the number by then.
            listener.deny(asked)
        except PermissionError:
            listener.forbid(asked)
        except OSError:  # no descriptor or memory is left for it
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
        """Remember the leader of the new group, if there will be one. Returns false if nobody waits for an answer.

        Raises `OSError` if the call must not go on: if this process can't look at the leader, it would not know the
        group.
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
            # In a pid namespace, numbers differ. The holder of the job's session is in no such namespace.
            self._unknown = True
            return True
        if self._joins_another_s(call, caller):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        leader = leader_after(call, caller)
        if leader is not None and leader == _session(asked.thread):
            # The kernel moves no session leader, and looks later. By then the session holder would be known as one of
            # the job's processes here, and be stopped and killed with it.
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return leader is None or self._learn(asked, leader)

    def _joins_another_s(self, call: GroupCall, caller: int) -> bool:
        """Whether a process would join a group that is not the job's: the group of its session holder."""
        if call.group <= 0 or call.group == self._pid or call.group in self._led:
            return False
        return call.group != (call.process or caller)

    def _still_waits(self, asked: Asked) -> bool:
        return self._listener is not None and self._listener.still_waits(asked)

    def _learn(self, asked: Asked, leader: int) -> bool:
        """Open the leader, unless it is known. Returns false if nobody waits for an answer any more.

        Raises `ProcessLookupError` if there is no such process, and `OSError` if it can't be looked at.
        """
        descriptor = os.pidfd_open(leader)
        if descriptor >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED_DESCRIPTORS:
            os.close(descriptor)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        known = self._led.get(leader)
        # The kernel moves only processes in the caller's session; the number may belong to another process by now.
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
        """Close every descriptor. A process that still waits, or calls later, gets ENOSYS."""
        self.hold()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        with self._looked_at:
            self._closed = True
            while self._led:
                os.close(self._led.popitem()[1])


def _is_there(descriptor: int) -> bool:
    """Whether a process was not reaped yet. Then its number is still its own."""
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
    """Whether the group of `pid` may have members. `pid` was its leader until it was reaped."""
    try:
        if _signal_group(descriptor, 0):
            return True
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # If another process has this number now, the group had no members when it got it.
    return read_stat(pid) is None


def _signal_group(descriptor: int, number: int) -> bool:
    """Signal the group that this process leads, or led. Returns false if the kernel can't.

    Raises `ProcessLookupError` if the group has no members.
    """
    try:
        signal.pidfd_send_signal(descriptor, number, None, _OF_THE_GROUP)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False
    return True


def _nothing(_count: int) -> None:
    """The default: before there is a job, a count has no effect."""
