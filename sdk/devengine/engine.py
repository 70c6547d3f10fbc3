"""`DevEngine`: the embedded engine in this process, for tests, the demo and authors of blocks."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sdk.devengine.blackboard import Blackboard
from sdk.devengine.errors import EngineStateError, NotFoundError
from sdk.devengine.faults import Faults
from sdk.devengine.options import EngineOptions
from sdk.devengine.payloads.reader import validate
from sdk.devengine.payloads.submissions import SUBMISSION
from sdk.devengine.records import AttemptRecord, JobRecord, LogRecord, RegistrationRecord, WorkerRecord
from sdk.devengine.request_log import RequestLog, RequestRecord
from sdk.devengine.roster import Roster
from sdk.devengine.server import Server
from sdk.devengine.service import Service
from sdk.devengine.store import Database, LogStore
from sdk.devengine.tokens import AccessToken

_LOG = logging.getLogger("sdk.devengine")


class DevEngine:
    """A server that speaks the worker contract of the neops workflow engine.

    Use it as an async context manager, or with `start` and `stop`. Call all methods in the event loop's thread. Those
    that are not coroutines are short, and have committed when they return. `clock` gives epoch seconds for every stamp
    and threshold; tests pass their own clock and call `check_now`.

    `faults` and `requests` survive a stop. So do the jobs if the database is a file: to stop and start again is a
    restart of the engine.
    """

    def __init__(
        self, options: EngineOptions | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.options = options or EngineOptions()
        self.faults = Faults()
        self._clock = clock
        self._request_log = RequestLog(enabled=self.options.record_requests)
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._closing = ExitStack()
        self._running: Service | None = None
        self._server: Server | None = None
        self._checker: asyncio.Task[None] | None = None

    async def start(self, port: int | None = None) -> None:
        """Open the database and listen; `port` overrides the option, 0 takes a free one.

        Raises `DatabaseError`, `TokenFileError` or `ListenError`; nothing is left open then.
        """
        if self._running is not None:
            raise EngineStateError("the engine runs already; stop it first")
        with ExitStack() as opened:
            database = Database(self.options.database)
            opened.callback(database.close)
            token = self._new_token(opened)
            service = self._service(database, token)
            server = Server(service)
            # A client that is refused with an earlier engine's token finds the new one in the file. The file is written
            # only when the port is ours: otherwise a failed start would replace the token of the engine on that port.
            await server.start(
                self.options.host,
                self.options.port if port is None else port,
                before_listening=token.publish if token else lambda: None,
            )
            self._closing = opened.pop_all()
        self._running, self._server = service, server
        self._checker = asyncio.create_task(self._check_periodically(), name="devengine-checker")

    async def stop(self) -> None:
        """Close socket, connections and database, and end all waits. Takes less than a second."""
        checker, server = self._checker, self._server
        self._checker = self._server = None
        if checker is not None:
            checker.cancel()
            with suppress(asyncio.CancelledError):
                await checker
        if server is not None:
            await server.stop()
        self._running = None
        for future in [future for futures in self._waiting.values() for future in futures]:
            if not future.done():
                future.set_exception(EngineStateError("the engine stopped while a result was awaited"))
        self._closing.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        if self._server is None:
            raise EngineStateError("the engine does not run; start it first")
        return self._server.url

    @property
    def token_file(self) -> Path | None:
        """The file with the token of this start, for a worker's `--engine-token-file`. None for `without_token`."""
        token = self._service_now().token
        return None if token is None else token.file

    @property
    def requests(self) -> list[RequestRecord]:
        """The newest requests (at most 100 000), in the order of their answers."""
        return self._request_log.records()

    def clear_requests(self) -> None:
        """Forget the recorded requests."""
        self._request_log.clear()

    def submit(
        self,
        *,
        block: str,
        parameters: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        run_on: str = "global",
        entity_id: float | None = None,
        type: str = "execute",  # noqa: A002  # the word of the contract
        step_label: str | None = None,
        allow_unregistered: bool = True,
    ) -> str:
        """Create a job and return its id. Raises `SubmissionError` or `RequestError`.

        Here the block may be unregistered, unlike over HTTP: a test often submits before its worker is there, but a
        person at a terminal has most likely mistyped the name.
        """
        submission = validate(
            SUBMISSION,
            {
                "block": block,
                "parameters": dict(parameters or {}),
                "context": None if context is None else dict(context),
                "runOn": run_on,
                "entityId": entity_id,
                "type": type,
                "stepLabel": step_label,
                "allowUnregistered": allow_unregistered,
            },
        )
        return self._service_now().blackboard.submit([submission])[0]

    def inject_raw_item(self, item: Any) -> None:
        """Add any JSON value to the next poll response, besides what the poll claims.

        If it has a `jobId`, it is recorded as a job that the polling worker claimed, so its result is accepted.
        """
        self._service_now().blackboard.add_raw_item(item)

    def job(self, job_id: str) -> JobRecord:
        """Return the record of a job. Raises `NotFoundError`."""
        record = self._service_now().blackboard.jobs.get(job_id)
        if record is None:
            raise NotFoundError("the engine does not know this job")
        return record

    def jobs(self) -> list[JobRecord]:
        """Return all jobs in creation order."""
        return self._service_now().blackboard.jobs.all()

    def earlier_attempts(self, job_id: str) -> list[AttemptRecord]:
        """Return the attempts of a job that ended with a retry."""
        return self._service_now().blackboard.jobs.earlier_attempts(job_id)

    async def wait_for_result(self, job_id: str, timeout_seconds: float) -> JobRecord:
        """Wait until the job is pushed and return it.

        Raises `TimeoutError` with the job's state, `NotFoundError`, or `EngineStateError` if the engine stops during
        the wait. When cancelled, it leaves the job unchanged.
        """
        if self.job(job_id).status == "pushed":
            return self.job(job_id)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[job_id].add(future)
        try:
            async with asyncio.timeout(timeout_seconds):
                await future
        except TimeoutError:
            job = self.job(job_id)
            raise TimeoutError(
                f"job {job_id} ({job.block}) has no result after {timeout_seconds:g} s: it is {job.status}, "
                f"worker {job.worker_id}, attempts {job.attempts}"
            ) from None
        finally:
            self._waiting[job_id].discard(future)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
        return self.job(job_id)

    def workers(self, *, with_deleted: bool = False) -> list[WorkerRecord]:
        """Return the workers in the order of registration."""
        return self._service_now().blackboard.workers.all(with_deleted=with_deleted)

    def registrations(self) -> list[RegistrationRecord]:
        """Return the registered blocks."""
        return self._service_now().blackboard.registrations.all()

    def logs(self) -> list[LogRecord]:
        """Return the log entries that workers sent."""
        return self._service_now().logs.all()

    def check_now(self) -> None:
        """Do now what the background check does at each interval."""
        self._service_now().roster.check()

    def _new_token(self, opened: ExitStack) -> AccessToken | None:
        if self.options.without_token:
            return None
        if self.options.token_file is not None:
            return AccessToken(self.options.token_file.absolute())
        directory = opened.enter_context(tempfile.TemporaryDirectory(prefix="neops-engine-"))
        return AccessToken(Path(directory) / "token")

    def _service(self, database: Database, token: AccessToken | None) -> Service:
        blackboard = Blackboard(database, self.options, self._clock, self._wake_waiting)
        return Service(
            options=self.options,
            database=database,
            clock=self._clock,
            blackboard=blackboard,
            roster=Roster(database, self.options, self._clock, blackboard),
            logs=LogStore(database),
            faults=self.faults,
            request_log=self._request_log,
            token=token,
        )

    def _service_now(self) -> Service:
        if self._running is None:
            raise EngineStateError("the engine does not run; start it first")
        return self._running

    def _wake_waiting(self, job_id: str) -> None:
        for future in self._waiting.get(job_id, ()):
            if not future.done():
                future.set_result(None)

    async def _check_periodically(self) -> None:
        interval_seconds = self.options.check_interval_seconds
        while True:
            before = self._clock()
            await asyncio.sleep(interval_seconds)
            # The machine was suspended, or the clock was set ahead: its workers could not ping in that time either.
            absent_seconds = self._clock() - before - interval_seconds
            try:
                if absent_seconds > interval_seconds:
                    self._service_now().roster.excuse(absent_seconds)
                self.check_now()
            except sqlite3.Error as error:
                _LOG.error("the background check failed and is tried again at the next interval: %s", error)
