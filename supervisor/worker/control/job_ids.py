"""The job that an operator means: he may type the beginning of its id, as `top` and logs show no more."""

from supervisor.job.job_ids import jobs_meant, several_meant
from supervisor.worker.control_socket.protocol import ControlError, Request
from supervisor.worker.parts import Parts


def asked_job_id(parts: Parts, request: Request) -> str:
    """Return the whole id of the job that is asked for, of those that run, wait or are kept; else what was given.

    Raises `ControlError` where several jobs are meant.
    """
    given = request.text("job_id")
    kept = parts.dispatcher.records.kept
    known = [*parts.dispatcher.running_jobs.ids(), *(kept.ids() if kept is not None else ())]
    meant = jobs_meant(given, known)
    if len(meant) > 1:
        raise ControlError("ambiguous_job", several_meant(given, meant))
    return meant[0] if meant else given
