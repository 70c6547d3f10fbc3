"""What the conformance tests share: an engine in this process and its worker, seen from both sides."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from contract_worker import Worker

from sdk.devengine import DevEngine, JobRecord, RequestRecord
from supervisor.log.event import Event
from supervisor.log.events.jobs import JobStarted
from tests.patience import PATIENCE_SECONDS, until

ECHO = "neops_base/echo:1.0.0"
SLOW = "neops_testing/slow:1.0.0"
WAITS = "contract/waits_for_file:1.0.0"
"""Runs until there is the file that it is told as its `choice`: a job that lasts as long as the test wants."""
CLIENT = importlib.metadata.version("neops_workflow_engine_client").replace("b", "-beta.")
"""The installed client's version, as engines write versions."""


@dataclass(slots=True)
class Setup:
    """An engine and a worker that belongs to it. `log_start` is where this test's part of the log begins."""

    engine: DevEngine
    worker: Worker
    log_start: int = 0

    @property
    def log(self) -> str:
        return self.worker.log[self.log_start :]

    def lines(self, event: type[Event], *words: str) -> list[str]:
        """The lines of this event that hold all of `words`: a job's id, or a fact such as `cause=time_limit`."""
        return lines_of(self.log, event, *words)

    async def logged(self, event: type[Event] | str, *words: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait for a line of the event (or, of a job's own lines, with this text), and return it."""
        if isinstance(event, str):
            text, words = event, (event, *words)
        else:
            text = event.name

        def find() -> str:
            runs = self.worker.runs  # asked first: its last words come before its end
            found = (
                lines_of(self.log, event, *words)
                if not isinstance(event, str)
                else [line for line in self.log.splitlines() if all(word in line for word in words)]
            )
            assert found or runs, f"the worker has ended and never said {text!r}"
            return found[0] if found else ""

        return await until(find, f"the log says {text!r} {words}", seconds)

    def sent(self, route: str) -> list[RequestRecord]:
        """The requests of a route so far, in the order of their arrival."""
        found = [request for request in self.engine.requests if request.route == route]
        return sorted(found, key=lambda request: request.monotonic_seconds)

    def results_of(self, job_id: str) -> list[RequestRecord]:
        return [each for each in self.sent("result") if body_of(each)["jobExecutionId"] == job_id]

    async def result(self, job_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until the engine holds the job's result, and return the whole of it."""

        def held() -> JobRecord | None:
            assert self.worker.runs, "the worker has ended"
            # An injected item is a job only from the poll on that hands it out.
            return next((job for job in self.engine.jobs() if job.job_id == job_id and job.finished_at), None)

        job = await until(held, f"the engine has a result of {job_id}", seconds)
        assert job.finished_by == "worker"
        return job.result or {}

    async def run(self, block: str, parameters: dict[str, Any] | None = None, **job: Any) -> dict[str, Any]:
        """Submit a job and return its result (the inner part: success, message, data, ...)."""
        job_id = self.engine.submit(block=block, parameters=parameters, **job)
        result: dict[str, Any] = (await self.result(job_id))["result"]
        return result

    async def started(self, job_id: str) -> JobRecord:
        """Wait until the worker says that it runs the job."""
        await self.logged(JobStarted, job_id)
        return self.engine.job(job_id)

    def claims_on_disk(self) -> int:
        """Count the claims that a kill would leave. A job that starts waits for its own, and then gets its order."""
        file = self.worker.state_dir / "journal.sqlite3"
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            (count,) = database.execute("SELECT count(*) FROM claims").fetchone()
        finally:
            database.close()
        return int(count)

    async def works(self) -> bool:
        """Whether a plain job still gets its plain result."""
        result = await self.run(ECHO, {"text": "alive"})
        return bool(result["data"] == {"text": "alive"})

    async def forget_worker(self) -> str:
        """Have the engine delete its oldest worker, as it does with one that was away for a day; return its uuid."""
        worker = self.engine.workers()[0]
        url = f"{self.engine.url}/workers/{worker.uuid}"
        async with aiohttp.ClientSession() as session, session.delete(url) as response:
            assert response.status == 204
        return worker.uuid


def lines_of(log: str, event: type[Event], *words: str) -> list[str]:
    """The lines of this event in the text of a log that hold all of `words`."""
    return [
        line
        for line in log.splitlines()
        if line.endswith(f" event={event.name}") or f" event={event.name}\\n" in line
        if all(word in line for word in words)
    ]


def body_of(request: RequestRecord) -> Any:
    return json.loads(request.body_text)


def job_item(job_id: str, **changes: Any) -> dict[str, Any]:
    """A job as a poll hands it out. A value of `None` takes the key away."""
    item: dict[str, Any] = {
        "functionBlockId": ECHO,
        "jobId": job_id,
        "stepLabel": "step",
        "parameters": {"text": job_id},
        "context": {"devices": [], "deviceGroups": [], "interfaces": []},
        "type": "execute",
        "runOn": "global",
        "entityId": None,
    }
    return {key: value for key, value in (item | changes).items() if value is not None or key == "entityId"}


def registered(setup: Setup, status: int) -> list[str]:
    """The blocks of the registrations that were answered with `status`, as `package/name`."""
    bodies = [body_of(each) for each in setup.sent("register_block") if each.status == status]
    return [f"{body['package']}/{body['name']}" for body in bodies]


async def ask(setup: Setup, *words: str) -> tuple[int, str, str]:
    """Run `supervisor WORDS` against the worker of this set-up; return exit code, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "supervisor",
        *words,
        "--state-dir",
        str(setup.worker.state_dir),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return process.returncode, stdout.decode(), stderr.decode()


async def status_of(setup: Setup) -> dict[str, Any]:
    """What the worker says of itself to `supervisor status`."""
    _, stdout, _ = await ask(setup, "status", "--json")
    return dict(json.loads(stdout))


async def status_is(setup: Setup, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the worker says so of itself. To ask takes a process, and the loop is free meanwhile.

    A worker whose last ping was not answered within its interval, which is short here, is not ready until the next one.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not wanted(status := await status_of(setup)):
            pass
    return status
