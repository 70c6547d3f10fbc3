"""What the last run left in the journal: said to be interrupted, and sent."""

import json
from pathlib import Path

import pytest

from supervisor.journal import Ledger, StoredResult
from supervisor.log.events.jobs import JobInterrupted
from supervisor.worker.recovery import recover_results
from tests.log_events import records_of, told
from tests.supervisor.journal.journal_support import claim


class Delivery:
    """Takes what is to be sent."""

    def __init__(self) -> None:
        self.got: list[StoredResult] = []

    def submit(self, result: StoredResult) -> None:
        self.got.append(result)


async def left_by_the_last_run(directory: Path) -> Ledger:
    """A journal with one job that was running and one whose result waits."""
    ledger = await Ledger.open(directory)
    _, number = await ledger.claim([claim("running"), claim("waiting")])
    await ledger.store_result(number, b'{"jobExecutionId": "waiting"}')
    await ledger.close()
    return await Ledger.open(directory)


async def test_a_job_that_was_running_fails_as_interrupted_and_what_waited_is_sent_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger, delivery = await left_by_the_last_run(tmp_path), Delivery()
    await recover_results(ledger, delivery, knows_retryable=True)  # type: ignore[arg-type]  # what is used of it
    texts = {result.job_id: json.loads(result.text) for result in delivery.got}
    assert texts == {
        "running": {
            "jobExecutionId": "running",
            "status": "failed",
            "result": {
                "success": False,
                "message": "This worker ended while the job ran (block p/b:1.0.0), and has started again. "
                "The block may have done a part of its work.",
            },
        },
        "waiting": {"jobExecutionId": "waiting"},
    }
    assert told(caplog, JobInterrupted) == [
        {"job": "running", "block": "p/b:1.0.0", "outcome": "failed", "cause": "worker_restarted"}
    ]
    assert records_of(caplog, JobInterrupted) == caplog.records
    await ledger.close()


async def test_the_result_of_an_interrupted_job_is_in_the_journal_before_it_is_sent(tmp_path: Path) -> None:
    """Else a second crash could make another one of it."""
    ledger, delivery = await left_by_the_last_run(tmp_path), Delivery()
    await recover_results(ledger, delivery, knows_retryable=False)  # type: ignore[arg-type]
    assert delivery.got == ledger.undelivered()
    assert ledger.interrupted() == []
    await ledger.close()


async def test_a_job_of_this_run_is_not_the_past(tmp_path: Path) -> None:
    ledger, delivery = await Ledger.open(tmp_path), Delivery()
    await ledger.claim([claim("runs now")])
    await recover_results(ledger, delivery, knows_retryable=True)  # type: ignore[arg-type]
    assert delivery.got == []
    await ledger.close()
