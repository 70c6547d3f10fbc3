"""Finds the job that an operator means: the beginning of its id is enough, because `top` and logs show only that."""

from supervisor.job.job_ids import jobs_meant, several_meant
from supervisor.worker.control_socket.protocol import ControlError, Request
from supervisor.worker.parts import Parts


def asked_job_id(parts: Parts, request: Request) -> str:
    """Return the whole id of the meant job, among those that run, wait or are kept; otherwise the given one.

    Raises `ControlError` if several jobs are meant.
    """
    given = request.text("job_id")
    kept = parts.dispatcher.records.kept
    known = [*parts.dispatcher.running_jobs.ids(), *(kept.ids() if kept is not None else ())]
    meant = jobs_meant(given, known)
    if len(meant) > 1:
        raise ControlError("ambiguous_job", several_meant(given, meant))
    return meant[0] if meant else given
