"""Jobs without evidence: each cause has its text and says whether to start again, and only this package says so."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from jobrunner.protocol.masking import Mask
from supervisor.verdict import Cause, Verdict, refusals
from supervisor.verdict.refusals import Quarantined

ROOT = Path(__file__).parents[3]
MASK = Mask()
WHY = Quarantined(("signal SIGSEGV",) * 3, 600)

REFUSALS: list[tuple[Callable[[], Verdict], Cause, bool | None, str]] = [
    (lambda: refusals.malformed_job("It has no id."), Cause.MALFORMED_JOB, False, "It has no id."),
    (
        lambda: refusals.unknown_block("a/b:1.0.0", ()),
        Cause.UNKNOWN_BLOCK,
        False,
        "This worker has no block a/b:1.0.0.",
    ),
    (
        lambda: refusals.unknown_block("a/b:1.0.0", ("m1", "m2", "m3", "m4")),
        Cause.UNKNOWN_BLOCK,
        False,
        "This worker has no block a/b:1.0.0. It may be in a module that could not be imported: m1; m2; m3",
    ),
    (
        lambda: refusals.expired(85.5),
        Cause.EXPIRED,
        True,
        "Not run: it waited 86 s for a slot. The engine would give it up before it could end.",
    ),
    (
        lambda: refusals.expired(0.0, 85.5),
        Cause.EXPIRED,
        True,
        "Not run: it took 86 s to arrive, and it waited 0 s for a slot. The engine would give it up before it could "
        "end.",
    ),
    (
        lambda: refusals.quarantined("a/b:1.0.0", WHY),
        Cause.QUARANTINED,
        False,
        "Not run: Block a/b:1.0.0 has killed its process 3 times with the same parameters (signal SIGSEGV, signal "
        "SIGSEGV, signal SIGSEGV). The worker does not run it with them for the next 10 min. Correct the block or its "
        "parameters. A reload (SIGHUP) or a restart of this worker clears the count.",
    ),
    (
        lambda: refusals.start_failed(MASK("no descriptor is left.")),
        Cause.START_FAILED,
        True,
        "Not run: no descriptor is left.",
    ),
    (
        lambda: refusals.result_refused(
            "success", 9000000, "The engine answered a result with 413: 'too large'.", 7, "w-1"
        ),
        Cause.RESULT_REFUSED,
        False,
        "The job ended (success), but the engine did not take its result of 9000000 bytes. The engine answered a "
        "result with 413: 'too large'. This failed result takes its place. What the job did to devices is done. What "
        "it returned, database updates among it, the engine does not have. Worker w-1 keeps the result: `supervisor "
        "journal show 7` prints it on the worker's machine.",
    ),
    (
        lambda: refusals.worker_stopping(),
        Cause.WORKER_STOPPING,
        True,
        "Not run: this worker is shutting down.",
    ),
    (
        lambda: refusals.cancelled(),
        Cause.CANCELLED,
        False,
        "Not run: an operator cancelled it before it began.",
    ),
    (
        lambda: refusals.worker_restarted("a/b:1.0.0"),
        Cause.WORKER_RESTARTED,
        None,
        "This worker ended while the job ran (block a/b:1.0.0), and has started again. "
        "The block may have done a part of its work. If it changes devices, the worker's log, at this job's id, "
        "says which change was under "
        "way, and a rollback of the step takes back what is in force.",
    ),
    (
        lambda: refusals.claim_lost(by_the_last_run=False),
        Cause.CLAIM_LOST,
        True,
        "Not run: the engine gave this job to this worker, but the connection broke before the job arrived. "
        "You can start it again.",
    ),
    (
        lambda: refusals.claim_lost(by_the_last_run=True),
        Cause.CLAIM_LOST,
        None,
        "The engine gave this job to this worker, which knows nothing of it: the answer was lost on its way, or "
        "somebody killed the last run of this worker. The block may have done a part of its work.",
    ),
    (
        lambda: refusals.result_lost(by_the_last_run=False),
        Cause.CLAIM_LOST,
        None,
        "The engine waits for this job again, whose result this worker has delivered: the engine has lost it. The "
        "block has done its work, or a part of it. `supervisor job` on the worker's machine says how the job ended.",
    ),
    (
        lambda: refusals.result_lost(by_the_last_run=True),
        Cause.CLAIM_LOST,
        None,
        "The engine waits for this job again, which has ended on this worker: the engine has lost its result, or "
        "somebody killed the last run of this worker before that could write the result down or deliver it. The "
        "block has done its work, or a part of it. `supervisor job` on the worker's machine says how the job ended.",
    ),
    (
        lambda: refusals.worker_error(),
        Cause.WORKER_ERROR,
        None,
        "Ended by a bug in this worker, which its log describes. Please report it.",
    ),
]


@pytest.mark.parametrize(("refusal", "cause", "retryable", "message"), REFUSALS)
def test_a_refusal_says_why_and_whether_to_start_again(
    refusal: Callable[[], Verdict], cause: Cause, retryable: bool | None, message: str
) -> None:
    assert refusal() == Verdict(success=False, cause=cause, message=message, retryable=retryable)


def calls_outside(names: set[str], room: str) -> list[str]:
    """Return where the packages call one of these functions, apart from this folder."""
    found = []
    for package in ("supervisor", "jobrunner", "sdk", "blocks"):
        for file in (ROOT / package).rglob("*.py"):
            if file.is_relative_to(ROOT / room):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)[:60]}")
    return found


def test_verdicts_are_made_in_this_package_alone() -> None:
    assert calls_outside({"Verdict", "failure"}, "supervisor/verdict") == []


def test_a_text_is_called_masked_by_the_masking_engine_alone() -> None:
    assert calls_outside({"Masked"}, "jobrunner/protocol/masking") == []
    casts = calls_outside({"cast"}, "jobrunner/protocol/masking")
    assert [each for each in casts if "Masked" in each] == []
