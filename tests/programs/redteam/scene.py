"""What an attack happens in: a directory, an engine, a real worker, and a process that tells how late we are."""

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.faults.programs import Engine, Worker
from tests.programs.bench.distribution import late_beats
from tests.programs.redteam.attack import BrokenError

BEAT_SECONDS: Final = 0.1
READY: Final = r"The worker is ready"
STOP_SECONDS: Final = 15.0
_HERE: Final = Path(__file__).parent
_ASKING: Final = _HERE.parents[1] / "contract" / "contract_blocks" / "asking.py"
_BLOCKS: Final = ("blocks", "blocks.testing", str(_HERE / "redteam_blocks"), str(_ASKING))
_LOOK_SECONDS: Final = 0.05
_LOG_SECONDS: Final = 5.0
_LAST_OF_A_JOB: Final = re.compile(r"\bjob_(ended|not_run|met_bug|interrupted)\b")
"""The event that the worker logs when all else about a job is said."""
_FEWEST_BEATS: Final = 6

_QUICK: Final[dict[str, object]] = {
    "max_concurrent_jobs": 4,
    "max_job_seconds": 30,
    "grace_seconds": 0.5,
    "poll_seconds": 0.1,
    "heartbeat_seconds": BEAT_SECONDS,
    "shutdown_timeout_seconds": 2,
    "log_format": "json",
}


class Scene:
    """One attack's surroundings. The engine runs from the beginning; workers are started by the attack."""

    def __init__(self, directory: Path, engine: Engine, session: aiohttp.ClientSession) -> None:
        self.directory = directory
        self.engine = engine
        self.session = session
        self.workers: list[Worker] = []
        self.attack_begun = self.attack_ended = time.monotonic()

    @property
    def engine_url(self) -> str:
        """Where the engine is, past every proxy."""
        return f"http://127.0.0.1:{self.engine.port}"

    @asynccontextmanager
    async def worker(
        self,
        *,
        engine_url: str = "",
        state_dir: Path | None = None,
        ready: bool = True,
        program: Sequence[str] = ("supervisor",),
        prefix: Sequence[str] = (),
        **settings: object,
    ) -> AsyncIterator[Worker]:
        """Start a worker with these settings of `supervisor --help`, and stop it when the block is left.

        With `ready` wait until it says that it is ready. `function_blocks` replaces the blocks it offers,
        `program` is the module that is run, and its own arguments, and `prefix` a command that execs it.
        """
        place = self.directory / f"worker{len(self.workers) + 1}"
        place.mkdir()
        given = {"function_blocks": ",".join(_BLOCKS), "engine_token_file": self.engine.token_file, **_QUICK}
        worker = Worker(
            place, engine_url or self.engine_url, state_dir or place / "state", **{**given, **settings}
        )
        self.workers.append(worker)
        try:
            await worker.begin(*program, prefix=prefix)
            if ready:
                if await worker.wait_for(READY) is None:
                    raise BrokenError(f"the worker did not start: {worker.said()[-2000:]}")
                self.attack_begun = time.monotonic()
            yield worker
            if ready and worker.is_running:  # long enough for some heartbeats
                await asyncio.sleep(self.attack_begun + _FEWEST_BEATS * BEAT_SECONDS - time.monotonic())
            self.attack_ended = time.monotonic()
            # What an attack looks at has happened: how the worker ends is judged as well.
            worker.signal(signal.SIGTERM)
            if worker.is_running:
                await worker.ended(STOP_SECONDS)
        finally:
            await _end(worker)

    async def submit(self, block: str, parameters: Mapping[str, Any], **options: Any) -> str:
        """Give the engine a job, and return its id."""
        body = {"block": block, "parameters": dict(parameters), **options}
        made = await self.engine.ask(self.session, "POST", "/dev/jobs", body)
        return str(made["jobIds"][0])

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return what the engine knows of a job."""
        record: dict[str, Any] = await self.engine.ask(self.session, "GET", f"/dev/jobs/{job_id}")
        return record

    async def result_of(self, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for the worker's result: `success`, `message`, `data`. Raises `BrokenError` when none comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            record = await self.job(job_id)
            if record["finishedAt"] is not None:
                if record["finishedBy"] != "worker":
                    raise BrokenError(f"job {job_id} got no result of the worker: the engine ended it")
                await self._told(job_id, record["workerId"])
                result: dict[str, Any] = record["result"]["result"]
                return result
            await asyncio.sleep(_LOOK_SECONDS)
        raise BrokenError(f"job {job_id} had no result after {seconds:g} s")

    async def _told(self, job_id: str, worker_uuid: str) -> None:
        """Wait a little for the worker's log, which nobody waits for: it tells the end of a job after all about it."""
        ended = time.monotonic() + _LOG_SECONDS
        for worker in self.workers:
            while worker.is_running and worker_uuid in (said := worker.said()) and time.monotonic() < ended:
                if any(job_id in line and _LAST_OF_A_JOB.search(line) for line in said.splitlines()):
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    @property
    def fewest_pings(self) -> int:
        """How many heartbeats must have come at least meanwhile: half of those that were due, less one."""
        return int((self.attack_ended - self.attack_begun) / BEAT_SECONDS / 2) - 1

    async def pings(self) -> list[float]:
        """Return when each heartbeat came since the last start of a worker, in CLOCK_MONOTONIC seconds, in order."""
        records = await self.engine.ask(self.session, "GET", "/dev/requests?route=ping")
        return sorted(
            float(record["monotonicSeconds"])
            for record in records
            if float(record["monotonicSeconds"]) >= self.attack_begun
        )


def events_of(worker: Worker) -> list[dict[str, Any]]:
    """Return the lines of a worker's log that are JSON, as they came."""
    found = []
    for line in worker.said().splitlines():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                found.append(event)
    return found


async def _end(worker: Worker) -> None:
    """End a worker whatever state it is in: the supervisor first, so that its keeper clears away what it has left."""
    if worker.is_running and (supervisor := worker.supervisor_pid) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGKILL)
        with contextlib.suppress(Exception):
            await worker.ended(STOP_SECONDS)
    await worker.kill()


@asynccontextmanager
async def set_up(directory: Path) -> AsyncIterator[Scene]:
    """Start an engine that records its requests, and end it when the block is left."""
    engine = Engine(directory)
    engine.flags = ("--test-controls",)
    async with aiohttp.ClientSession() as session:
        try:
            await engine.open()
            yield Scene(directory, engine, session)
        finally:
            await engine.kill()


def beyond(pings: list[float], machine_late: list[float]) -> float:
    """Return how much later the worst heartbeat was than the worst wake-up of the bare process; at least 0."""
    late = [beat.late_seconds for beat in late_beats(pings, BEAT_SECONDS)]
    return max(0.0, max(late, default=0.0) - max(machine_late, default=0.0))
