"""The job that a bundle is about: its whole id, if a person has given only the beginning, and who knows the job."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supervisor.commands.control.kept_jobs import kept_jobs_in
from supervisor.errors import SupervisorError
from supervisor.job.job_ids import jobs_meant, several_meant
from supervisor.journal.offline import journal_in, read_entries
from supervisor.worker.control_socket.client import ControlClient
from supervisor.worker.control_socket.protocol import ControlError

_ASK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Worker:
    """The worker to ask, if there is one, and the state directory that the bundle is about."""

    client: ControlClient | None
    pid: int | None
    state_dir: Path
    problem: str = ""
    """Why no worker can be asked."""
    is_absent: bool = False
    """Whether there is no worker. Otherwise there may be one that this user may not ask."""


@dataclass(frozen=True, slots=True)
class JobMeant:
    """The job's whole id, otherwise the given one; its state directory; and whether nobody knows the job."""

    job_id: str
    state_dir: Path
    is_unknown: bool = False


def job_meant(worker: Worker, asked_dir: Path | None, given: str) -> JobMeant:
    """Return the meant job, as `supervisor job` and `logs` would find it.

    If no worker answers, it searches the files of all workers that `asked_dir` allows. Raises `ControlError` if several
    jobs are meant.
    """
    is_unknown = worker.is_absent
    if worker.client is not None:
        try:
            answer = worker.client.ask("job", timeout_seconds=_ASK_SECONDS, job_id=given)
            return JobMeant(answer["job"]["job_id"], worker.state_dir)
        except ControlError as error:
            if error.cause == "ambiguous_job":
                raise
            is_unknown = error.cause == "unknown_job"
        except SupervisorError:
            pass  # it has ended meanwhile, or does not answer: then the files are searched
    places = _places_by_id(asked_dir if worker.client is None else worker.state_dir, worker.state_dir)
    meant = jobs_meant(given, places)
    if len(meant) > 1:
        raise ControlError("ambiguous_job", several_meant(given, meant))
    if meant:
        return JobMeant(meant[0], places[meant[0]])
    return JobMeant(given, worker.state_dir, is_unknown)


def _places_by_id(asked_dir: Path | None, state_dir: Path) -> dict[str, Path]:
    """Return the ids in the files, each with its worker's directory: of kept ends, and of open claims."""
    found: dict[str, Path] = {}
    with contextlib.suppress(ControlError):  # the parts report what can't be read
        ends = sorted(kept_jobs_in(asked_dir), key=lambda each: each[1].ended_at)
        found |= {job.job_id: path.parent.parent for path, job in ends}
    with contextlib.suppress(SupervisorError):
        for entry in read_entries(journal_in(state_dir)):
            found.setdefault(entry.claim.job_id, state_dir)
    return found
