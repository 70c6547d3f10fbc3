"""Serves the worker's health, from its start to its end. It does nothing unless `--health-address` is set."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

from supervisor.log.event import tell
from supervisor.log.events.health import HealthGroupClosed, HealthServed, MetricsMissing
from supervisor.process.tasks import Tasks
from supervisor.process.threads import wait_in_thread
from supervisor.settings.health_address import HealthAddress, LoopbackAddress, parse_health_address
from supervisor.settings.run_settings import DaemonSettings
from supervisor.settings.token_file import read_health_token
from supervisor.worker.control.socket import rules_of
from supervisor.worker.control_socket.group import listening_for
from supervisor.worker.control_socket.known_jobs import KnownJobs
from supervisor.worker.control_socket.peers import RefusedError, Rules, admit
from supervisor.worker.health.answers import Access, Answer, access_of, answer, is_own_host, refusal
from supervisor.worker.health.connections import Connections
from supervisor.worker.health.listener import Listener
from supervisor.worker.health.looks import Looks
from supervisor.worker.health.refusals import Refusals
from supervisor.worker.health.snapshot import LOOK_SECONDS, Snapshot
from supervisor.worker.observer import NOBODY, Observer

if TYPE_CHECKING:
    from supervisor.worker.health.recorder import Recorder
    from supervisor.worker.parts import Parts
    from supervisor.worker.progress import Progress

_log = logging.getLogger(__name__)

CLOSE_SECONDS: Final = 2.0
TEXT_SECONDS: Final = 1.0
"""How long one text of the metrics is given to all clients: a hundred readers cost as much as one."""


class Health:
    """`observer` counts from `serving` on; `offer` gives the parts that it looks at once a second."""

    def __init__(self, settings: DaemonSettings) -> None:
        self._settings = settings
        self._recorder: Recorder | None = None
        self._looks: Looks | None = None
        self._snapshot = Snapshot(time.monotonic())
        self._tasks = Tasks()

    @property
    def observer(self) -> Observer:
        """Return the observer that must hear what the worker does."""
        return self._recorder or NOBODY

    def name_blocks(self, is_block: Callable[[str], bool]) -> None:
        """Count by block from now on: `is_block` says whether this worker has a block. Other blocks get no label."""
        if self._recorder is not None:
            self._recorder.is_block = is_block

    def offer(self, parts: Parts, progress: Progress) -> None:
        """From now on, report on these parts."""
        self._looks = Looks(parts, progress)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve it meanwhile, if the settings want it. Raises `StartRefusedError` if that is impossible."""
        if self._settings.health_address is None:
            yield
            return
        from supervisor.worker.health.web import Web  # needs two megabytes, so it is imported only here

        address = parse_health_address(self._settings.health_address)
        token_file = self._settings.health_token_file
        token = None if token_file is None else await asyncio.to_thread(read_health_token, token_file)
        on_port = isinstance(address, LoopbackAddress)
        name = None if on_port else self._settings.control_group
        listener = await asyncio.to_thread(_listen, address, name)
        try:
            self._recorder = _recorder()
            text = None if self._recorder is None else Text(self._recorder)
            door = Door(
                token, None if on_port else rules_of(self._settings, listener.group), self.snapshot, text
            )
            web = Web(listener, Connections(door.admits), door.answer)
            try:
                tell(_log, HealthServed(address=listener.address))
                if listener.closed_to_group is not None:
                    tell(_log, HealthGroupClosed(group=str(name), reason=listener.closed_to_group))
                self._tasks.keep(self._look_for_ever, "look at the worker's health")
                yield
            finally:
                await self._tasks.close()
                await web.close()
        finally:
            await wait_in_thread(listener.close, CLOSE_SECONDS)

    def snapshot(self) -> Snapshot:
        """Return the worker's state when its loop ran last."""
        return self._snapshot

    async def _look_for_ever(self) -> None:
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if self._recorder is not None:
                self._recorder.lagged(max(0.0, now - due))
            self._snapshot = Snapshot(now) if self._looks is None else self._looks.look(now)
            due = now + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)


class Text:
    """The text of the metrics, made at most once a second. For one thread."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._made_at = float("-inf")
        self._text = b""

    def at(self, snapshot: Snapshot, now: float) -> bytes:
        """Return the text for `now`, or one from a moment ago."""
        if now >= self._made_at + TEXT_SECONDS:
            self._text = self._recorder.text(snapshot, now)
            self._made_at = now
        return self._text


class Door:
    """Admits clients, and answers them. `rules` are a socket's; `None` on a port. For one thread."""

    def __init__(
        self, token: str | None, rules: Rules | None, snapshot: Callable[[], Snapshot], text: Text | None
    ) -> None:
        self._token = token
        self._rules = rules
        self._snapshot = snapshot
        self._text = text
        self._refusals = Refusals()
        self._jobs = KnownJobs()

    def admits(self, connection: socket.socket) -> bool:
        """Whether this client may ask at all. On a port everybody may, because the client is unknown there."""
        if self._rules is None:
            return True
        try:
            admit(connection, self._rules, self._jobs)
        except (RefusedError, OSError) as error:
            self._refusals.tell(str(error))
            return False
        return True

    def answer(self, path: str, host: str | None, authorization: str | None) -> Answer:
        """Return the answer for a path."""
        access = Access.ALL
        if self._rules is None:
            if not is_own_host(host):
                self._refusals.tell("the Host header names another machine")
                return refusal(421, "Ask this address by its number: the Host header names another machine.")
            access = access_of(authorization, self._token)
        if access is Access.REFUSED:
            self._refusals.tell("a wrong token")
        snapshot, now, text = self._snapshot(), time.monotonic(), self._text
        metrics = None if text is None else lambda: text.at(snapshot, now)
        has_token = self._token is not None
        return answer(path, access, snapshot, now, metrics=metrics, has_token=has_token)


def _listen(address: HealthAddress, group: str | None) -> Listener:
    """Listen for this group too. Raises `StartRefusedError`, but not if only the group is missing."""
    return listening_for(group, functools.partial(Listener.on, address))


def _recorder() -> Recorder | None:
    try:
        from supervisor.worker.health.recorder import Recorder
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "prometheus_client":
            raise
        tell(_log, MetricsMissing())
        return None
    return Recorder()
