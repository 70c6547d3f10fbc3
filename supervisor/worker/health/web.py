"""Serves the health over HTTP, on a loop in its own thread: it answers even while the worker's loop is blocked."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web

from supervisor.errors import SupervisorError
from supervisor.log.event import tell
from supervisor.log.events.worker import TaskFailed
from supervisor.process.tasks import Tasks
from supervisor.process.threads import END_SECONDS, started_pool
from supervisor.worker.health.answers import Answer, refusal
from supervisor.worker.health.connections import Connections
from supervisor.worker.health.listener import Listener

_log = logging.getLogger(__name__)

_SILENT: Final = logging.getLogger(f"{__name__}.aiohttp")
"""For aiohttp's messages about requests that are not HTTP: anybody on this machine could fill the log with them."""
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

AGAIN_SECONDS: Final = 0.25
"""If the answer is no, it looks once more after this time: after a standstill of the whole process, this thread may run
before the worker's loop has looked."""

_NO: Final = 503

Answers = Callable[[str, str | None, str | None], Answer]
"""Gets the path and the headers Host and Authorization of a request."""


class Web:
    """Owns the thread. `answers` is called in it."""

    def __init__(self, listener: Listener, connections: Connections, answers: Answers) -> None:
        self._listener = listener
        self._connections = connections
        self._answers = answers
        self._loop = asyncio.SelectorEventLoop()
        self._stop = asyncio.Event()
        try:
            self._thread = started_pool(1, "health")
        except SupervisorError:
            self._loop.close()
            raise
        self._done = self._thread.submit(self._run)

    async def close(self) -> None:
        """End it. Clients that wait for an answer get none."""
        with contextlib.suppress(RuntimeError):  # its loop has already ended
            self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.wait((asyncio.wrap_future(self._done),), timeout=END_SECONDS)
        self._thread.shutdown(wait=False)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        tasks = Tasks()
        tasks.keep(self._serve, "health")
        await self._stop.wait()
        await tasks.close()

    async def _serve(self) -> None:
        server = web.Server(self._handle, access_log=None, logger=_SILENT, lingering_time=0)
        try:
            await self._connections.accept(self._listener.socket, server)
        finally:
            self._connections.close()
            await server.shutdown(0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            given = self._answer(request)
            if given.status == _NO:
                await asyncio.sleep(AGAIN_SECONDS)
                given = self._answer(request)
        except Exception as error:
            tell(_log, TaskFailed(task="health", consequence="The worker goes on."), error=error)
            given = refusal(500, "The worker has a bug, which its log describes.")
        response = web.Response(status=given.status, body=given.body, headers=given.headers)
        response.headers["Content-Type"] = given.content_type
        response.headers["Cache-Control"] = "no-store"
        response.headers["Server"] = "neops-supervisor"
        response.force_close()  # a kept connection would take the place of another client
        return response

    def _answer(self, request: web.BaseRequest) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return refusal(405, "Ask with GET.")
        headers = request.headers
        return self._answers(request.path, headers.get("Host"), headers.get("Authorization"))
