"""The verdicts of jobs that were not run, or whose end nobody saw: they have a reason, but no evidence."""

from dataclasses import dataclass, replace
from typing import Final

from jobrunner.protocol.masking import Masked
from supervisor.verdict.verdict import Cause, Verdict, failure

_MOST_PROBLEMS: Final = 3


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A refusal: how the process died each time, oldest first, and for how many seconds more the job is refused."""

    deaths: tuple[str, ...]
    seconds_left: float


def malformed_job(reason: str) -> Verdict:
    """For a job that can't be understood. `reason` is a sentence that names fields, and no values."""
    return failure(Cause.MALFORMED_JOB, reason)


def unknown_block(block_id: str, import_problems: tuple[str, ...]) -> Verdict:
    """For a job whose block this worker does not have. The modules that failed to import may contain it."""
    text = f"This worker has no block {block_id}."
    if import_problems:
        places = "; ".join(import_problems[:_MOST_PROBLEMS])
        text += f" It may be in a module that could not be imported: {places}"
    return failure(Cause.UNKNOWN_BLOCK, text)


def expired(
    waited_seconds: float, arrival_seconds: float = 0.0, max_concurrent: int | None = None
) -> Verdict:
    """For a job that has waited for a slot until its time was up. `arrival_seconds`: how long its poll took.

    `max_concurrent`: how many jobs of its block may run, if it has waited for one of these to end.
    """
    arrival = f"it took {arrival_seconds:.0f} s to arrive, and " if arrival_seconds >= 1 else ""
    of_block = f" of its block, of which {max_concurrent} may run at a time" if max_concurrent else ""
    return failure(
        Cause.EXPIRED,
        f"Not run: {arrival}it waited {waited_seconds:.0f} s for a slot{of_block}. The engine would give it up before "
        "it could end.",
    )


def quarantined(block_id: str, why: Quarantined) -> Verdict:
    """For a job that has killed its process too often."""
    return failure(Cause.QUARANTINED, f"Not run: {quarantine_text(block_id, why)}")


def quarantine_text(block_id: str, why: Quarantined) -> str:
    """Say why the job is refused, until when, and what to do."""
    minutes = max(1.0, why.seconds_left / 60)
    return (
        f"Block {block_id} has killed its process {len(why.deaths)} times with the same parameters "
        f"({', '.join(why.deaths)}). The worker does not run it with them for the next {minutes:.0f} min. Correct the "
        "block or its parameters. A reload (SIGHUP) or a restart of this worker clears the count."
    )


def start_failed(reason: Masked) -> Verdict:
    """For a job that got no child, or none that could be watched."""
    return failure(Cause.START_FAILED, f"Not run: {reason}")


def worker_stopping() -> Verdict:
    """For a job that was not begun, because the worker is shutting down."""
    return failure(Cause.WORKER_STOPPING, "Not run: this worker is shutting down.")


def cancelled() -> Verdict:
    """For a job that an operator has cancelled before it began."""
    return failure(Cause.CANCELLED, "Not run: an operator cancelled it before it began.")


def worker_restarted(block_id: str) -> Verdict:
    """For a job that the last run of this worker left in the journal without a result."""
    return failure(
        Cause.WORKER_RESTARTED,
        f"This worker ended while the job ran (block {block_id}), and has started again. "
        "The block may have done a part of its work. If it changes devices, the worker's log, at this job's id, says "
        "which change was under way, and a rollback of the step takes back what is in force.",
    )


def claim_lost(*, by_the_last_run: bool) -> Verdict:
    """For a job that the engine gave to this worker but that is not here.

    `by_the_last_run`: it may have come to a run that was killed, and have run while that could write nothing down.
    """
    if not by_the_last_run:
        return failure(
            Cause.CLAIM_LOST,
            "Not run: the engine gave this job to this worker, but the connection broke before the job arrived. "
            "You can start it again.",
        )
    lost = failure(
        Cause.CLAIM_LOST,
        "The engine gave this job to this worker, which knows nothing of it: the answer was lost on its way, or "
        "somebody killed the last run of this worker. The block may have done a part of its work.",
    )
    return replace(lost, retryable=None)


def result_refused(status: str, size_bytes: int, reason: str, number: int, worker_uuid: str) -> Verdict:
    """For a job whose result the engine has refused for good. `reason` is a sentence with the engine's answer.

    `status` is the refused result's, `number` its entry in the journal of worker `worker_uuid`.
    """
    return failure(
        Cause.RESULT_REFUSED,
        f"The job ended ({status}), but the engine did not take its result of {size_bytes} bytes. {reason} This failed "
        "result takes its place. What the job did to devices is done. What it returned, database updates among it, the "
        f"engine does not have. Worker {worker_uuid} keeps the result: `supervisor journal show {number}` prints it "
        "on the worker's machine.",
    )


def result_lost(*, by_the_last_run: bool) -> Verdict:
    """For a job that has succeeded here, but the engine still waits for it: it has lost its last commits.

    `by_the_last_run`: or that run was killed while its result was only in memory, as on a full disk.
    """
    how = "whose result this worker has delivered: the engine has lost it."
    if by_the_last_run:
        how = (
            "which has ended on this worker: the engine has lost its result, or somebody killed the last run of this "
            "worker before that could write the result down or deliver it."
        )
    lost = failure(
        Cause.CLAIM_LOST,
        f"The engine waits for this job again, {how} The block has done its work, or a part of it. `supervisor job` on "
        "the worker's machine says how the job ended.",
    )
    return replace(lost, retryable=None)


def worker_error() -> Verdict:
    """For a job whose end this worker could not handle."""
    return failure(
        Cause.WORKER_ERROR, "Ended by a bug in this worker, which its log describes. Please report it."
    )
