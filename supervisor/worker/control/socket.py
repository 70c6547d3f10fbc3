"""The control socket of one worker: opened beside the loop, checked regularly, and closed at the end."""

import asyncio
import contextlib
import functools
import logging
import os
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Final

from supervisor.log.event import tell
from supervisor.log.events.control import ControlAvailable, ControlGroupClosed, ControlUnavailable
from supervisor.process import kept
from supervisor.process.tasks import Tasks
from supervisor.process.threads import wait_in_thread
from supervisor.process.user_numbers import parse_users
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.control.starting import handlers_of
from supervisor.worker.control_socket.group import listening_for
from supervisor.worker.control_socket.known_jobs import KnownJobs
from supervisor.worker.control_socket.listener import ControlPlaceError, Listening, listen_in
from supervisor.worker.control_socket.peers import Rules, admit
from supervisor.worker.control_socket.place import runtime_directory
from supervisor.worker.control_socket.server import ControlServer, Handler

_log = logging.getLogger(__name__)

CLOSE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 30.0
"""How often it tries again if there could be no socket, or checks whether somebody has removed the socket."""


class Control:
    """Answers from the worker's start to its end. `offer` sets its commands once the worker has its parts."""

    def __init__(self, settings: DaemonSettings, look_seconds: float = LOOK_SECONDS) -> None:
        self._settings = settings
        self._look_seconds = look_seconds
        self._commands: Mapping[str, Handler] | None = None
        self._tasks = Tasks()
        self._problem: str | None = None
        self._closed_to_group: str | None = None

    def offer(self, commands: Mapping[str, Handler]) -> None:
        """From now on, answer with these commands."""
        self._commands = commands

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Provide a control socket meanwhile, unless the settings want none. Its failure does not harm the worker."""
        if self._settings.control == "off":
            yield
            return
        self._tasks.keep(self._serve_for_ever, "control socket")
        try:
            yield
        finally:
            await self._tasks.close()

    async def _serve_for_ever(self) -> None:
        while True:
            listening = await self._listen()
            if listening is not None:
                await self._serve(listening)
            await asyncio.sleep(self._look_seconds)

    async def _serve(self, listening: Listening) -> None:
        """Answer for as long as clients find this socket at its path."""
        rules = rules_of(self._settings, listening.group)
        admit_by_rules = functools.partial(admit, rules=rules, jobs=KnownJobs())
        handlers = handlers_of(lambda: self._commands, self._settings.state_dir)
        server = ControlServer(listening.listener, listening.secret, admit_by_rules, handlers)
        try:
            server.begin()
            while await asyncio.to_thread(lambda: listening.is_in_place):  # noqa: ASYNC110  # nobody tells of its removal
                await asyncio.sleep(self._look_seconds)
        finally:
            await server.close()
            # If the disk hangs, the rest stays, and is replaced later.
            await wait_in_thread(listening.close, CLOSE_SECONDS)

    async def _listen(self) -> Listening | None:
        opening = _Opening(self._settings)
        try:
            listening = await asyncio.to_thread(opening.open)
        except asyncio.CancelledError:
            await wait_in_thread(opening.leave, CLOSE_SECONDS)
            raise
        except ControlPlaceError as error:
            if self._problem is None:
                tell(_log, ControlUnavailable(reason=str(error)))
            self._problem = str(error)
            return None
        if self._problem is not None:
            self._problem = None
            tell(_log, ControlAvailable(directory=str(listening.path)))
        closed = listening.closed_to_group
        if closed is not None and closed != self._closed_to_group:
            tell(_log, ControlGroupClosed(group=str(self._settings.control_group), reason=closed))
        self._closed_to_group = closed
        return listening


class _Opening:
    """Opens the socket in a thread. The thread goes on if nobody waits for it any more: then it closes the socket."""

    def __init__(self, settings: DaemonSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: Listening | None = None
        self._is_left = False

    def open(self) -> Listening:
        """Return the socket. Raises `ControlPlaceError`."""
        listening = _open(self._settings)
        with self._lock:
            self._opened = listening
            is_left = self._is_left
        if is_left:
            listening.close()
        return listening

    def leave(self) -> None:
        """Close the socket that was opened, or will be."""
        with self._lock:
            self._is_left = True
            opened = self._opened
        if opened is not None:
            opened.close()


def _open(settings: DaemonSettings) -> Listening:
    directory = runtime_directory(settings.runtime_dir, settings.state_dir)
    return listening_for(settings.control_group, functools.partial(listen_in, directory))


def rules_of(settings: DaemonSettings, group: int | None) -> Rules:
    """Return who may ask this worker. What its keeper has inherited counts the same as what is below the worker."""
    users = parse_users(settings.job_users) if settings.job_users else ()
    keeper = kept.keeper_pid()
    own = {os.getpid()} if keeper is None else {os.getpid(), keeper}
    return Rules(os.geteuid(), group, users, own)
