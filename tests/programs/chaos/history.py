"""Everything that was recorded of one seed: what the checker works on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sdk.devengine import AttemptRecord, DevEngine, EngineOptions, JobRecord
from tests.faults.processors import stood_still
from tests.faults.proxy import Exchange


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done to the worker or the engine, from `at` until `until` (CLOCK_MONOTONIC)."""

    what: str
    at: float
    until: float
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Life:
    """One run of the worker, from when it was ready until it was killed, told to stop, or ended."""

    ready_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the trace: a block really ran."""

    job_id: str
    pid: int
    started_ticks: int
    at: float


@dataclass
class History:
    """One seed. Times are CLOCK_MONOTONIC, except the engine's own, which `epoch` + monotonic makes comparable."""

    jobs: Sequence[JobRecord]
    attempts: dict[str, Sequence[AttemptRecord]]
    exchanges: Sequence[Exchange]
    runs: Sequence[Run]
    deeds: Sequence[Deed]
    lives: Sequence[Life]
    lateness: Sequence[tuple[float, float]]
    epoch: float
    heartbeat_seconds: float
    problems: list[str] = field(default_factory=list)
    """What was found while it ran: a worker that did not stop, something left behind."""

    @cached_property
    def results(self) -> dict[str, list[Exchange]]:
        """The requests that delivered results, by job, in order."""
        found: dict[str, list[Exchange]] = {}
        for exchange in self.exchanges:
            if exchange.route == "result":
                found.setdefault(json.loads(exchange.body)["jobExecutionId"], []).append(exchange)
        return found

    @cached_property
    def polls(self) -> dict[str, list[Exchange]]:
        """The polls in whose true answer a job was, by job, in order."""
        found: dict[str, list[Exchange]] = {}
        for exchange in self.exchanges:
            if exchange.route == "poll":
                for job_id in _job_ids(exchange.engine_answers):
                    found.setdefault(job_id, []).append(exchange)
        return found

    def stood_still(self, begin: float, end: float) -> float:
        """Return for how many seconds of this time the machine stood still, or a part of it."""
        return stood_still(self.lateness, begin, end)

    def deeds_between(self, begin: float, end: float, *words: str) -> list[Deed]:
        """Return the deeds whose name holds one of `words` and which touch this time."""
        return [
            deed
            for deed in self.deeds
            if deed.at <= end and deed.until >= begin and any(word in deed.what for word in words)
        ]


def _job_ids(answers: Sequence[bytes]) -> Iterator[str]:
    for answer in answers:
        try:
            items = json.loads(answer)
        except ValueError:
            continue
        if isinstance(items, list):
            yield from (str(item["jobId"]) for item in items if isinstance(item, dict))


def was_told(exchange: Exchange, job_id: str) -> bool:
    """Whether a poll's answer went out so that the worker can know that it holds the job."""
    if exchange.answered is None or exchange.status is None or not 200 <= exchange.status < 300:
        return False
    return job_id in _job_ids([exchange.answer])


def read_trace(path: Path) -> list[Run]:
    """Return the lines of the trace, in order."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [Run(job_id, int(pid), int(ticks), float(at)) for job_id, pid, ticks, at in map(str.split, lines)]


async def engine_records(database: Path) -> tuple[list[JobRecord], dict[str, Sequence[AttemptRecord]]]:
    """Return the jobs and their earlier attempts from the file of an engine that has ended."""
    async with DevEngine(EngineOptions(database=database)) as engine:
        jobs = engine.jobs()
        return jobs, {job.job_id: engine.earlier_attempts(job.job_id) for job in jobs}
