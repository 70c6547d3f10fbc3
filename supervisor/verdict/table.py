"""The verdict table.

Read from the top; the first row that fits decides.

| observed | status | cause | retryable |
|---|---|---|---|
| time limit hit before the outcome | failed | time_limit | as the engine decides |
| memory limit hit before the outcome | failed | memory_limit | as the engine decides |
| CPU limit hit before the outcome | failed | cpu_limit | as the engine decides |
| stall before the outcome, `--on-stall kill` | failed | stalled | as the engine decides |
| process limit hit before the outcome | failed | process_limit | as the engine decides |
| cancelled by an operator before the outcome | failed | cancelled | no |
| shutdown decided before the outcome | failed | worker_stopping | yes |
| its process ended before the job began | failed | start_failed | yes |
| complete outcome, success | success | completed (a crash or lingering after it is a warning) | as the block said |
| complete outcome, failure that the block returned | failed | block_failed | as the block said |
| complete outcome, an exception of the block | failed | block_raised | as the engine decides |
| no outcome, SIGKILL by the kernel at the memory limit (proven) | failed | memory_limit | as the engine decides |
| no outcome, ended by a signal that the worker did not send | failed | crashed | as the engine decides |
| no outcome, could not be kept apart, as the child said | failed | start_failed | yes |
| no outcome, bytes that are no frame, or half a frame | failed | bad_frame | as the engine decides |
| no outcome, channel closed by the block | failed | channel_closed | as the engine decides |
| no outcome, ended by itself | failed | exited | as the engine decides |

If a job was ended in the middle of a change of a device, another try is no use (retryable: no), whatever the row says:
somebody must first look at what it has left. The message names the change.

An outcome after a limit is only evidence: the signal that asks for the stack can wake a blocked call, and the
block then finishes after its time is over.
"""

from dataclasses import replace
from typing import assert_never

from jobrunner.protocol.exit_codes import CHANNEL_LOST
from supervisor.verdict.changes import changes_made, changes_text
from supervisor.verdict.ending import Ending, ExitStatus, OutcomeSeen
from supervisor.verdict.limits import LimitHit, LimitKind
from supervisor.verdict.verdict import Cause, Verdict, failure
from supervisor.verdict.wording import (
    evidence,
    limit_sentence,
    oom_sentence,
    place,
    plain_end,
    unwatched_sentence,
)


def decide(ending: Ending) -> Verdict:
    """Turn the evidence into a verdict. Total: every ending has exactly one."""
    if ending.limit is not None:
        return _limited(ending, ending.limit)
    if ending.outcome is not None and not ending.not_begun:
        return _complete(ending)
    cause = _cause_without_outcome(ending)
    return _ended(cause, plain_end(cause, ending), ending)


def _ended(cause: Cause, sentence: str, ending: Ending) -> Verdict:
    """Return the verdict of a job that could not report itself what it has left on devices."""
    verdict = failure(cause, sentence + changes_text(ending.changes) + evidence(cause, ending))
    return verdict if ending.changes.are_certain else replace(verdict, retryable=False)


def _limited(ending: Ending, limit: LimitHit) -> Verdict:
    match limit.kind:
        case LimitKind.TIME:
            cause = Cause.TIME_LIMIT
        case LimitKind.MEMORY:
            cause = Cause.MEMORY_LIMIT
        case LimitKind.CPU:
            cause = Cause.CPU_LIMIT
        case LimitKind.STALL:
            cause = Cause.STALLED
        case LimitKind.PROCESSES:
            cause = Cause.PROCESS_LIMIT
        case LimitKind.STOPPING:
            cause = Cause.WORKER_STOPPING
        case LimitKind.CANCELLED:
            cause = Cause.CANCELLED
        case _:
            assert_never(limit.kind)
    return _ended(cause, limit_sentence(limit, ending), ending)


def _complete(ending: Ending) -> Verdict:
    outcome = ending.outcome
    assert outcome is not None
    # In the result as well: the block has done its work, but may have used more than it was allowed.
    unwatched = [unwatched_sentence(each) for each in ending.unwatched]
    # An error that a block does not catch says nothing about what was done before it.
    made = changes_made(ending.changes) if outcome.raised else ()
    warning = "; ".join(filter(None, [outcome.warning, _warning_after_outcome(ending), *unwatched])) or None
    return Verdict(
        success=outcome.success,
        cause=_cause_of(outcome),
        message="\n".join([outcome.message, *made, *(f"Note: {text}." for text in unwatched)]),
        retryable=outcome.retryable,
        warning=warning,
        keeps_outcome=True,
    )


def _cause_of(outcome: OutcomeSeen) -> Cause:
    if outcome.success:
        return Cause.COMPLETED
    return Cause.BLOCK_RAISED if outcome.raised else Cause.BLOCK_FAILED


def _warning_after_outcome(ending: Ending) -> str | None:
    if ending.out_of_memory is not None:
        return oom_sentence(ending.out_of_memory)
    if ending.lingered:
        ended = "could not be killed" if ending.unkillable else "was killed"
        text = f"its process did not end by itself after the result was complete and {ended}"
        return text + place(ending)
    if ending.exit_status is not None and not ending.killed and ending.exit_status.code != 0:
        return f"its process ended with {ending.exit_status} after the result was complete"
    if ending.leftovers_unsearched:
        return "the worker could not look yet for processes that it left behind"
    if ending.unkilled_processes:
        return f"it left {ending.unkilled_processes} process(es) behind that could not be killed"
    if ending.leftover_processes:
        return f"it left {ending.leftover_processes} process(es) behind, which were killed"
    return None


def _cause_without_outcome(ending: Ending) -> Cause:
    if ending.not_begun:
        return Cause.START_FAILED
    crashed = (
        ending.exit_status is not None and ending.exit_status.signal_name is not None and not ending.killed
    )
    if crashed:
        return Cause.MEMORY_LIMIT if ending.oom_limit_mb is not None else Cause.CRASHED
    if ending.not_isolated:
        return Cause.START_FAILED
    if ending.channel_problem is not None:
        return Cause.BAD_FRAME
    if ending.channel_closed or ending.exit_status == ExitStatus(code=CHANNEL_LOST):
        return Cause.CHANNEL_CLOSED
    return Cause.EXITED
