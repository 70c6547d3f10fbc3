"""The embedded engine as the benchmark sees it: jobs in, wait, and its own stamps of what happened when."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from sdk.devengine import DevEngine, EngineOptions, JobRecord
from tests.programs.bench.errors import BenchError

_LOOK_SECONDS: Final = 0.2
"""How often a job is asked for. Rarely: the engine's time is a part of what is measured."""


class Engine:
    """Requests to a running engine. Raises `BenchError` for an answer that is not 2xx."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, headers: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._session = session

    async def submit(self, block: str, parameters: Sequence[dict[str, Any]]) -> list[str]:
        """Submit one job for each of `parameters`, all at once, and return their ids in the same order."""
        jobs = [{"block": block, "parameters": given, "allowUnregistered": True} for given in parameters]
        return [str(job_id) for job_id in (await self.ask("POST", "/dev/jobs", jobs))["jobIds"]]

    async def wait_for(self, job_ids: Sequence[str], timeout_seconds: float) -> None:
        """Wait until every job has a result. Raises `BenchError` when that takes longer."""
        try:
            async with asyncio.timeout(timeout_seconds):
                # The youngest first: by the time it is done, asking for the others disturbs nobody.
                for job_id in reversed(job_ids):
                    while (await self.ask("GET", f"/dev/jobs/{job_id}"))["finishedAt"] is None:
                        await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise BenchError(f"{len(job_ids)} jobs were not done within {timeout_seconds:g} s.") from None

    async def pings(self) -> list[float]:
        """Return when each heartbeat came, in seconds of CLOCK_MONOTONIC, in order."""
        records = await self.ask("GET", "/dev/requests?route=ping")
        return sorted(float(record["monotonicSeconds"]) for record in records)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request and return the JSON of its answer, `None` for an empty one."""
        data = None if body is None else json.dumps(body).encode()
        async with self._session.request(
            method, self.url + path, data=data, headers=self._headers
        ) as response:
            content = await response.read()
            if response.status >= 300:
                raise BenchError(f"The engine answered {method} {path} with {response.status}.")
        return json.loads(content) if content else None


async def records_of(database: Path) -> list[JobRecord]:
    """Return the jobs of an engine that has ended, in the order of submission.

    From its file: over HTTP its stamps are cut to milliseconds.
    """
    async with DevEngine(EngineOptions(database=database)) as engine:
        return engine.jobs()


def results(records: Sequence[JobRecord]) -> list[dict[str, Any]]:
    """Return what the worker reported, job by job. Raises `BenchError` when the engine ended one itself."""
    for record in records:
        if record.finished_by != "worker" or record.result is None:
            raise BenchError(f"A job of {record.block} is {record.status} without a result of the worker.")
    return [record.result["result"] for record in records if record.result is not None]


def check_success(records: Sequence[JobRecord]) -> None:
    """Raise `BenchError` when a job failed: how fast it did so is not what is measured."""
    for record, result in zip(records, results(records), strict=True):
        if not result["success"]:
            message = re.sub(r"\s+", " ", str(result.get("message")))[:300]
            raise BenchError(f"A job of {record.block} failed: {message}")


def claim_to_result(records: Sequence[JobRecord]) -> list[float]:
    """Return the seconds from claim to result of each job, both stamped by the engine."""
    return [
        record.finished_at - record.claimed_at
        for record in records
        if record.finished_at is not None and record.claimed_at is not None
    ]


def jobs_per_second(records: Sequence[JobRecord], leave_out: int = 0) -> float:
    """Return the rate at which results came in, from the first claim to the last result.

    With `leave_out`, from that result on: the first jobs find children that were ready before they came.
    """
    finished = sorted(record.finished_at for record in records if record.finished_at is not None)
    first = min(record.claimed_at for record in records if record.claimed_at is not None)
    start = finished[leave_out - 1] if leave_out else first
    return (len(finished) - leave_out) / (finished[-1] - start)
