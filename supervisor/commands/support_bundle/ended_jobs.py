"""The ended jobs that the worker has kept, read from its files: this needs no worker, and changes nothing."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from supervisor.commands.support_bundle.collection import LeftOutError
from supervisor.journal.ended_jobs.file_format import DamagedFileError
from supervisor.journal.ended_jobs.files import ENDED_JOBS, EndedJobFiles, OpenedJob
from supervisor.log.format import printable_json

_SUFFIX: Final = ".job"
_LATEST: Final = 100
_MOST: Final = 10_000


def latest(state_dir: Path) -> dict[str, Any]:
    """Return how the last jobs ended, the last one first, without logs and results. Raises `LeftOutError`."""
    jobs: list[dict[str, Any]] = []
    for opened in _opened(state_dir):
        jobs.append(asdict(opened.job))
        if len(jobs) == _LATEST:
            break
    return {"ended_jobs": jobs}


def of_job(state_dir: Path, job_id: str) -> dict[str, Any]:
    """Return how one job ended. Raises `LeftOutError` if it is not kept."""
    for opened in _opened(state_dir):
        if opened.job.job_id == job_id:
            return asdict(opened.job)
    raise _nothing_of(job_id)


def log_of_job(state_dir: Path, job_id: str) -> str:
    """Return what one job has logged and printed, a JSON object on each line. Raises `LeftOutError`."""
    for opened in _opened(state_dir):
        if opened.job.job_id == job_id:
            # Escaped as JSON here: a later escape for terminals would make it invalid JSON.
            return printable_json(opened.log(0, opened.log_bytes).decode(errors="backslashreplace"))
    raise _nothing_of(job_id)


def _opened(state_dir: Path) -> Iterator[OpenedJob]:
    """Yield the kept jobs, the last one first, each open until the next one is asked for. Skips damaged files."""
    directory = state_dir / ENDED_JOBS
    try:
        names = os.listdir(directory)
    except OSError as error:
        raise LeftOutError(f"{directory} can't be read: {error.strerror}.") from None
    numbers = [
        int(stem) for name in names if (stem := name.removesuffix(_SUFFIX)).isdecimal() and stem != name
    ]
    files = EndedJobFiles(directory, _MOST)
    for number in sorted(numbers, reverse=True):
        try:
            opened = files.read(number)
        except (OSError, DamagedFileError):
            continue
        try:
            yield opened
        finally:
            opened.close()


def _nothing_of(job_id: str) -> LeftOutError:
    return LeftOutError(f"Nothing is kept of an end of job {job_id}.")
