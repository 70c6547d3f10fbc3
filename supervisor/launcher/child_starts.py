"""Asks for a new child: from a session holder if possible, otherwise from the template, which then forks twice."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Final

from jobrunner.protocol.control import ChildRequest, send_fork_request, send_session_request
from supervisor.errors import LaunchError
from supervisor.launcher.fork_requests import (
    Forker,
    ForkerGoneError,
    ForkRefusedError,
    ForkRequest,
    ForkRequests,
)
from supervisor.launcher.importer import TemplateProcess
from supervisor.launcher.session_holders import SessionHolder, SessionHolders
from supervisor.launcher.template_look import look_at
from supervisor.lifecycle.template_silence import Judgement, TemplateSilence
from supervisor.process.reaping import is_child
from supervisor.process.shortage import explain

_FORBIDDEN: Final = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EINVAL})
"""A fork by `clone(CLONE_PARENT)` fails with these if it can never succeed: a filter of system calls forbids it."""

Silent = Callable[[Forker, float], None]
Stopped = Callable[[Forker], None]


class ChildStarts:
    """Asks for children, one request for each, and waits for the answers.

    `stopped` is called with a forker that will never answer, `silent` with one that did not answer in time and the
    time when it was asked.
    """

    def __init__(
        self, requests: ForkRequests, holders: SessionHolders, silent: Silent, stopped: Stopped
    ) -> None:
        self._requests = requests
        self._holders = holders
        self._silent = silent
        self._stopped = stopped

    async def ask(
        self, template: TemplateProcess, request: Callable[[int], ChildRequest], timeout_seconds: float
    ) -> tuple[int, SessionHolder | None]:
        """Return a child's pid, and its session holder, if it has one. Raises `LaunchError`.

        `request` makes the request for a given number.
        """

        def send_fork(control: socket.socket, number: int) -> None:
            send_fork_request(control, request(number))

        while template.forks_once:
            holder = self._holders.take(template)
            is_new = holder is None
            if is_new and self._holders.is_full:
                break
            try:
                holder = holder or await self._new_holder(template, timeout_seconds)
                return await self._fork_in(holder, send_fork, timeout_seconds), holder
            except ForkRefusedError as error:
                if error.number not in _FORBIDDEN:
                    raise
                template.forks_once = False
            except ForkerGoneError:
                # An old holder may have ended: a job has killed it, or changed its session's share of the processors.
                if is_new:
                    raise
        return await self._ask(template, send_fork, timeout_seconds, is_own_child=False), None

    async def _new_holder(self, template: TemplateProcess, timeout_seconds: float) -> SessionHolder:
        with self._holders.one_more(), contextlib.ExitStack() as undo:
            try:
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            except OSError as error:
                raise LaunchError(f"A child could not be started: {explain(error)}") from error
            undo.callback(ours.close)
            ours.setblocking(False)
            with theirs:

                def send(control: socket.socket, number: int) -> None:
                    send_session_request(control, number, theirs)

                pid = await self._ask(template, send, timeout_seconds, is_own_child=True)
            if not is_child(pid):  # a module may have written to the template's socket: its word is no proof
                raise LaunchError("The template has announced a process that is not this worker's.")
            holder = SessionHolder(pid, ours, template, asyncio.get_running_loop().time())
            undo.pop_all()
        try:
            self._holders.add(holder)
        except OSError as error:
            self._holders.end(holder, reason="")
            raise LaunchError(f"A child could not be started: {explain(error)}") from error
        return holder

    async def _fork_in(
        self, holder: SessionHolder, send: Callable[[socket.socket, int], None], timeout_seconds: float
    ) -> int:
        try:
            return await self._ask(holder, send, timeout_seconds, is_own_child=True)
        except ForkRefusedError:
            self._holders.give_back(holder)
            raise
        except BaseException:
            # A child may still come, and it would be born into the session.
            self._holders.end(holder, reason="The wait for its child was given up.")
            raise

    async def _ask(
        self,
        forker: Forker,
        send: Callable[[socket.socket, int], None],
        timeout_seconds: float,
        *,
        is_own_child: bool,
    ) -> int:
        if forker.control.fileno() < 0:
            raise ForkerGoneError("The template is gone; a new one is on its way.")
        request = self._requests.begin(forker, is_own_child=is_own_child)
        try:
            send(forker.control, request.number)
        except ConnectionError as error:
            self._requests.never_sent(request)
            raise ForkerGoneError(f"The template is gone ({error}); a new one is on its way.") from error
        except OSError as error:
            self._requests.never_sent(request)
            raise LaunchError(f"The template can't be asked for a child: {explain(error)}") from error
        try:
            return await self._answer(request, timeout_seconds)
        finally:
            request.started.cancel()

    async def _answer(self, request: ForkRequest, timeout_seconds: float) -> int:
        """Wait for the pid of a child."""
        clock = asyncio.get_running_loop().time
        asked_at, forker = clock(), request.forker
        silence = TemplateSilence(asked_at, timeout_seconds)
        while not (await asyncio.wait((request.started,), timeout=silence.next_look_seconds(clock())))[0]:
            judgement = silence.judge(look_at(forker.pid), clock())
            if judgement is Judgement.REPLACE:
                self._stopped(forker)
            elif judgement is Judgement.GIVE_UP:
                self._silent(forker, asked_at)
                if not request.started.done():
                    seconds = clock() - asked_at
                    raise LaunchError(f"The template did not start a child within {seconds:.2g} s.")
        return request.started.result()
