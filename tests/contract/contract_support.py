"""What the conformance tests share: a real worker beside an engine in this process, and bounded waits."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from sdk.devengine import DevEngine, JobRecord, RequestRecord

ROOT = Path(__file__).parents[2]
BLOCKS = Path(__file__).parent / "contract_blocks"
ECHO = "neops_base/echo:1.0.0"
SLOW = "neops_testing/slow:1.0.0"
PATIENCE_SECONDS = 20.0
HEARTBEAT_SECONDS = 0.2

_QUICK = ("--heartbeat-seconds", str(HEARTBEAT_SECONDS), "--poll-seconds", "0.05", "--grace-seconds", "0.3")
_LIMITS = ("--max-job-seconds", "20", "--log-level", "debug")

T = TypeVar("T")


async def until(check: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Wait until ``check`` returns something true, and return it."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.01)
    return found


class Worker:
    """A supervisor in processes of its own. The keeper is the one that was started; see `supervisor_pid`."""

    def __init__(self, engine_url: str, directory: Path, *flags: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.state_dir = directory / "state"
        self._log_file = directory / f"log-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "supervisor", "--engine-url", engine_url]
        command += ["--state-dir", str(self.state_dir), "--function-blocks", f"{BLOCKS},blocks.echo"]
        with self._log_file.open("wb") as log:
            # Nothing of this environment: a developer's own settings would change what is tested.
            environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(ROOT)}
            self._process = subprocess.Popen(
                [*command, *_QUICK, *_LIMITS, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory,
                env=environment,
            )

    @property
    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def keeper_pid(self) -> int:
        return self._process.pid

    @property
    def supervisor_pid(self) -> int:
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    async def ready(self) -> None:
        await until(lambda: "The worker is ready" in self.log or not self.runs, "the worker is ready")
        assert self.runs, self.log

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    async def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        await until(lambda: not self.runs, "the worker has ended", seconds)
        return self._process.wait()

    def kill(self) -> None:
        """End it, whatever state it is in."""
        with contextlib.suppress(OSError, IndexError):
            os.kill(self.supervisor_pid, signal.SIGKILL)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)


@dataclass(slots=True)
class Setup:
    """An engine and a worker that belongs to it. ``log_start`` is where this test's part of the log begins."""

    engine: DevEngine
    worker: Worker
    log_start: int = 0

    @property
    def log(self) -> str:
        return self.worker.log[self.log_start :]

    async def logged(self, text: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait for a line with ``text`` and return it."""

        def find() -> str:
            return next((line for line in self.log.splitlines() if text in line), "")

        return await until(find, f"the log says {text!r}", seconds)

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
        await self.logged(f"Job {job_id} starts")
        return self.engine.job(job_id)

    async def works(self) -> bool:
        """Whether a plain job still gets its plain result."""
        return (await self.run(ECHO, {"text": "alive"}))["data"] == {"text": "alive"}

    async def forget_worker(self) -> str:
        """Have the engine delete its worker, as it does with one that was away for a day; return the uuid."""
        (worker,) = self.engine.workers()
        async with aiohttp.ClientSession() as session:
            async with session.delete(f"{self.engine.url}/workers/{worker.uuid}") as response:
                assert response.status == 204
        return worker.uuid


def body_of(request: RequestRecord) -> Any:
    return json.loads(request.body_text)


def job_item(job_id: str, **changes: Any) -> dict[str, Any]:
    """A job as a poll hands it out. A value of `None` takes the key away."""
    item = {
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
