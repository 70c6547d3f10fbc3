"""Requests for forks, and their answers: the pid of a child, or why there is none."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from jobrunner.protocol.control import Started, receive_starts
from supervisor.errors import LaunchError
from supervisor.launcher.endings import look_until
from supervisor.launcher.known_children import KnownChildren
from supervisor.process.reaping import wait_for
from supervisor.process.shortage import explain_refused_fork


class Forker(Protocol):
    """A process that forks on request: a template, or a session holder."""

    control: socket.socket

    @property
    def pid(self) -> int:
        """Its pid."""
        ...


class ForkRefusedError(LaunchError):
    """The kernel has refused a fork. `number` is the errno, 0 if unknown."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


class ForkerGoneError(LaunchError):
    """The forker has ended, or was ended. Another one is there, or on its way."""

    def __init__(self, message: str) -> None:
        super().__init__(message, on_its_way=True)


@dataclass(slots=True, eq=False)
class ForkRequest:
    """One request to `forker`. `started` gets the pid, or a `LaunchError`."""

    number: int
    forker: Forker
    started: asyncio.Future[int]
    is_own_child: bool


class ForkRequests:
    """Knows which requests are unanswered, also those that nobody waits for any more."""

    def __init__(self, known_children: KnownChildren) -> None:
        self._known_children = known_children
        self._numbers = itertools.count(1)
        self._unanswered: dict[int, ForkRequest] = {}
        self._unclaimed: dict[int, Callable[[], None] | None] = {}

    def begin(self, forker: Forker, *, is_own_child: bool) -> ForkRequest:
        """Note a request that is about to be sent. `is_own_child`: this process is its parent from the start."""
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        request = ForkRequest(next(self._numbers), forker, started, is_own_child)
        self._unanswered[request.number] = request
        return request

    def never_sent(self, request: ForkRequest) -> None:
        """Forget a request that could not be sent: no answer will come."""
        self._unanswered.pop(request.number, None)

    def has_waiting(self, forker: Forker) -> bool:
        """Whether somebody waits for an answer of this forker."""
        return any(one.forker is forker and not one.started.done() for one in self._unanswered.values())

    @property
    def asked(self) -> tuple[Forker, ...]:
        """The forkers that have not answered yet."""
        return tuple({id(one.forker): one.forker for one in self._unanswered.values()}.values())

    @property
    def sessions_with_starts(self) -> frozenset[int]:
        """The sessions in which this process may have a child that was not announced yet."""
        return frozenset(one.forker.pid for one in self._unanswered.values() if one.is_own_child)

    def hear(self, forker: Forker) -> bool:
        """Take all that `forker` has announced, without waiting. Returns whether the forker is gone."""
        starts, gone = receive_starts(forker.control)
        for start in starts:
            self._take(start)
        return gone

    def _take(self, start: Started) -> None:
        if start.pid:
            self._known_children.add(start.pid)
        request = self._unanswered.pop(start.request, None)
        if request is None or request.started.done():
            self.end_unclaimed(start.pid)
        elif start.pid:
            request.started.set_result(start.pid)
        else:
            reason = explain_refused_fork(start.error)
            refused = ForkRefusedError(f"The template could not start a child: {reason}", start.error)
            request.started.set_exception(refused)

    def fail(self, forker: Forker, reason: str) -> None:
        """Fail all requests to `forker`, which is gone or about to be. Its announcements were taken before."""
        for number, request in list(self._unanswered.items()):
            if request.forker is forker:
                del self._unanswered[number]
                if not request.started.done():
                    request.started.set_exception(ForkerGoneError(reason))

    def end_unclaimed(self, pid: int) -> None:
        """End a child whose waiter gave up before it started. It has no job, so nothing is reported."""
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self.reap_later(pid)

    def reap_later(self, pid: int, then: Callable[[], None] | None = None) -> None:
        """Reap a killed process later; it may first have to become this one's child. Then call `then`."""
        self._known_children.add(pid)
        if not self._unclaimed:
            self._known_children.endings.start(look_until(self._has_reaped_all), "end of killed forks")
        self._unclaimed[pid] = then

    def reap_unclaimed(self) -> None:
        """Reap those that have ended now, without waiting for the others."""
        for pid, then in list(self._unclaimed.items()):
            if self._is_reaped(pid):
                del self._unclaimed[pid]
                if then is not None:
                    then()
                    self._known_children.forker_is_dead()

    def _has_reaped_all(self) -> bool:
        self.reap_unclaimed()
        return not self._unclaimed

    def _is_reaped(self, pid: int) -> bool:
        try:
            done, _, _ = wait_for(pid)
        except ChildProcessError:
            return False  # still its middle process's child
        if done:
            self._known_children.discard(pid)
        return bool(done)
