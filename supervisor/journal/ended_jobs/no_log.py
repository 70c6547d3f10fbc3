"""Why no log is kept of an ended job, and where else its lines may be. Pure."""

from typing import Final

from supervisor.verdict import Cause

_OF_A_KILLED_WORKER: Final = frozenset({Cause.WORKER_RESTARTED, Cause.CLAIM_LOST})


def why_no_log(job_id: str, cause: str) -> str:
    """Return the explanation for a job with this cause whose log is empty. A job that ran has at least two lines."""
    if cause in _OF_A_KILLED_WORKER:
        return (
            f"The log of job {job_id} was not kept: its worker was killed before the job ended. What the worker had "
            "written until then is where its output goes; under systemd: "
            f"journalctl -u neops-supervisor | grep {job_id}"
        )
    return f"Job {job_id} has no log: it was not run ({cause}). `supervisor job {job_id}` says why."
