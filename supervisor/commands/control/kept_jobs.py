"""The ended jobs in the files of a worker that does not run, for commands that would otherwise ask it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from supervisor.commands.journal.places import worker_directories
from supervisor.job.job_ids import jobs_meant, several_meant
from supervisor.journal.ended_jobs.ended_job import EndedJob
from supervisor.journal.ended_jobs.file_format import DamagedFileError
from supervisor.journal.ended_jobs.files import ENDED_JOBS, OpenedJob, kept_jobs, read_file
from supervisor.worker.control_socket.protocol import ControlError


def open_kept_job(program: str, state_dir: Path | None, job_id: str) -> OpenedJob | None:
    """Open the file of a job's last end, and say on stderr where it comes from; `None` if there is none.

    Close the returned object. Raises `ControlError`, as the worker would answer.
    """
    found = list(kept_jobs_in(state_dir))
    meant = jobs_meant(job_id, (job.job_id for _, job in found))
    if len(meant) > 1:
        raise ControlError("ambiguous_job", several_meant(job_id, meant))
    ends = [(path, job) for path, job in found if job.job_id in meant]
    if not ends:
        return None
    path, _ = max(ends, key=lambda each: each[1].ended_at)
    _say_from(program, path.parent)
    try:
        return read_file(path)
    except (OSError, DamagedFileError) as error:
        raise _unreadable(path, error) from None


def kept_job(program: str, state_dir: Path | None, job_id: str) -> dict[str, Any] | None:
    """Return how a job ended, in the form of the worker's answer to `job`. See `open_kept_job`."""
    opened = open_kept_job(program, state_dir, job_id)
    if opened is None:
        return None
    try:
        result = opened.result()
        data = json.loads(result) if result else None
        return {**asdict(opened.job), "state": "ended", "log_bytes": opened.log_bytes, "result": data}
    finally:
        opened.close()


def latest_kept_jobs(program: str, state_dir: Path | None, count: int) -> list[dict[str, Any]]:
    """Return the last jobs that have ended, the last one first, and say on stderr where they come from.

    Raises `ControlError` if they can't be read.
    """
    found = sorted(kept_jobs_in(state_dir), key=lambda each: each[1].ended_at, reverse=True)[:count]
    for directory in dict.fromkeys(path.parent for path, _ in found):
        _say_from(program, directory)
    return [asdict(job) for _, job in found]


def kept_jobs_in(state_dir: Path | None) -> Iterator[tuple[Path, EndedJob]]:
    """Yield the ended jobs that workers have kept below `state_dir`, each with its file. Raises `ControlError`.

    Without `state_dir`, look where commands and services keep their state. Raises if the files can't be read.
    """
    for place in worker_directories(state_dir):
        directory = place / ENDED_JOBS
        try:
            yield from kept_jobs(directory)
        except FileNotFoundError:
            continue
        except PermissionError as error:
            if state_dir is not None:  # otherwise it is another user's service, which nobody has named
                raise _unreadable(directory, error) from None
        except OSError as error:
            raise _unreadable(directory, error) from None


def _unreadable(path: Path, error: OSError | DamagedFileError) -> ControlError:
    return ControlError("disk_failing", f"What is kept in {path} can't be read: {error}.")


def _say_from(program: str, directory: Path) -> None:
    print(f"{program}: no worker answers; this is from {directory}.", file=sys.stderr)
