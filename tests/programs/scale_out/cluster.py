"""The workers and their engine as processes; who is asked, who is killed, and what the engine says in the end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp

from supervisor.worker.control_socket.client import ControlClient, NoWorkerError
from supervisor.worker.control_socket.place import runtime_directory
from tests.faults.programs import ACT, Engine, FaultTestError, Worker
from tests.programs.scale_out.looks import Job, Look
from tests.traces import trace_file_in

SLOTS: Final = 2
READY_SECONDS: Final = 120.0
LOOK_SECONDS: Final = 0.3
DONE_SECONDS: Final = 900.0
CONNECTIONS: Final = 8


class Cluster:
    """So many workers of two slots, one engine, and all that was looked at."""

    def __init__(self, directory: Path, workers: int) -> None:
        self.engine = Engine(directory)
        self._directory = directory
        self._count = workers
        self.workers: list[Worker] = []
        self.trace = trace_file_in(directory)
        self.looks: list[Look] = []
        self.silent = 0
        """How often a worker that runs gave no answer."""
        self.down: set[int] = set()
        """The workers that are killed and not ready again."""

    async def begin(self) -> float:
        """Start everything, one worker after the other, and return how many seconds that took."""
        began = time.monotonic()
        await self.engine.open()
        for number in range(self._count):
            directory = self._directory / f"worker-{number}"
            directory.mkdir()
            worker = Worker(
                directory, f"http://127.0.0.1:{self.engine.port}", directory / "state",
                engine_token_file=self.engine.token_file, max_concurrent_jobs=SLOTS, max_job_seconds=60,
                grace_seconds=1, poll_seconds=0.5, worker_name=f"worker-{number}",
            )  # fmt: skip
            self.workers.append(worker)
            await self._start(worker)
        return time.monotonic() - began

    async def _start(self, worker: Worker) -> None:
        await worker.begin()
        if await worker.wait_for("event=worker_ready", READY_SECONDS) is None:
            raise FaultTestError(f"A worker did not start:\n{worker.said()[-2000:]}")

    async def end(self) -> None:
        """Kill everything that is left."""
        await asyncio.gather(*(worker.kill() for worker in self.workers))
        await self.engine.kill()

    async def kill_one(self, number: int) -> None:
        """Kill a worker's keeper, and start it again, as systemd does."""
        self.down.add(number)
        worker = self.workers[number]
        await worker.kill()
        await self._start(worker)
        self.down.discard(number)

    async def look_for_ever(self) -> None:
        """Ask each worker in turn, again and again."""
        while True:
            for number, worker in enumerate(self.workers):
                if number not in self.down:
                    await self._look(number, worker)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, number: int, worker: Worker) -> None:
        client = ControlClient(runtime_directory(None, worker.state_dir))
        began = time.time()
        try:
            status = await asyncio.to_thread(client.ask, "status")
            jobs = await asyncio.to_thread(client.ask, "jobs")
        except NoWorkerError:
            self.silent += number not in self.down
            return
        if number in self.down:  # it was killed meanwhile
            return
        look = Look(
            status["worker"], began, time.time(), status["ready"], status["running"], status["waiting"],
            status["slots"], frozenset(job["job_id"] for job in jobs["jobs"]),
        )  # fmt: skip
        self.looks.append(look)

    async def submit(self, session: aiohttp.ClientSession, jobs: int, seconds: float) -> list[str]:
        """Submit them all at once and return their ids."""
        bodies = [
            {
                "block": ACT,
                "parameters": {
                    "act": "slow",
                    "word": f"w{number}",
                    "trace": str(self.trace),
                    "seconds": seconds,
                },
                "allowUnregistered": True,
            }
            for number in range(jobs)
        ]
        answer = await self.engine.ask(session, "POST", "/dev/jobs", bodies)
        return list(answer["jobIds"])

    async def wait_until_done(self, session: aiohttp.ClientSession) -> None:
        """Wait until the engine has a result of each. Raises `FaultTestError` after fifteen minutes."""
        end = time.monotonic() + DONE_SECONDS
        while active := await self.engine.ask(session, "GET", "/blackboard/jobs/active"):
            if time.monotonic() > end:
                raise FaultTestError(f"{len(active)} jobs were not done within {DONE_SECONDS:g} s.")
            await asyncio.sleep(LOOK_SECONDS)

    async def outcome(self, session: aiohttp.ClientSession, ids: list[str]) -> list[Job]:
        """Return each job as the engine has it."""
        room = asyncio.Semaphore(CONNECTIONS)

        async def one(job_id: str) -> Job:
            async with room:
                return _job(await self.engine.ask(session, "GET", f"/dev/jobs/{job_id}"))

        return list(await asyncio.gather(*map(one, ids)))

    def runs(self) -> list[str]:
        """Return an id for each run of a job, as the jobs themselves have written it down."""
        return [line.split()[0] for line in self.trace.read_text().splitlines()]


def _job(told: dict[str, Any]) -> Job:
    result = (told.get("result") or {}).get("result") or {}
    return Job(
        told["jobId"], told.get("workerId"), _time(told.get("startedAt")),
        _time(told.get("finishedAt")), result.get("success"),
    )  # fmt: skip


def _time(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def victims(workers: int, killed: int) -> list[int]:
    """Return which workers are killed; the same ones each time."""
    return Random("scale-out").sample(range(workers), killed)


@contextlib.asynccontextmanager
async def cluster(directory: Path, workers: int) -> AsyncIterator[Cluster]:
    """A cluster that is gone afterwards."""
    made = Cluster(directory, workers)
    try:
        yield made
    finally:
        await made.end()
