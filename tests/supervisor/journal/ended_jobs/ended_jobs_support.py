"""Ended jobs in a directory, with a disk that a test can spoil."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from supervisor.journal.ended_jobs.ended_job import EndedJob
from supervisor.journal.ended_jobs.running_log import RunningLog
from supervisor.journal.ended_jobs.store import EndedJobs


def ended(job_id: str, **changes: Any) -> EndedJob:
    values: dict[str, Any] = {
        "job_id": job_id,
        "block": "acme/block:1.0.0",
        "outcome": "success",
        "cause": "completed",
        "message": "done",
        "started_at": 100.0,
        "ended_at": 101.5,
        "seconds": 1.5,
        "cpu_seconds": 0.5,
        "peak_memory_mb": 33.0,
        "exit_code": 0,
    }
    return EndedJob(**values | changes)


def log_with(*messages: str) -> RunningLog:
    log = RunningLog(lambda: 100.0)
    for message in messages:
        log.take(20, "job_log", message, {"logger": "acme"})
    return log


def messages(text: bytes) -> list[str]:
    return [json.loads(line)["message"] for line in text.splitlines()]


async def whole_log(jobs: EndedJobs, job_id: str) -> bytes:
    opened = await jobs.read(job_id)
    assert opened is not None, f"{job_id} is kept"
    text = b""
    while portion := await jobs.portion(opened, len(text)):
        text += portion
    jobs.close_file(opened)
    return text


@asynccontextmanager
async def kept_in(directory: Path, most_jobs: int = 1000) -> AsyncIterator[EndedJobs]:
    jobs = EndedJobs(directory / "ended_jobs", most_jobs)
    jobs.begin()
    try:
        yield jobs
    finally:
        await jobs.close()


def files_in(directory: Path) -> list[Path]:
    return sorted((directory / "ended_jobs").iterdir())


def raising(error: OSError) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail
