"""What the last run left in the journal: said to be interrupted, and sent."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from supervisor.errors import EngineError
from supervisor.journal import Ledger, StoredResult
from supervisor.log.events.jobs import JobInterrupted
from supervisor.log.events.state import ClaimOver, ClaimSetAside
from supervisor.worker.recovery import Recovery
from tests.log_events import records_of, told
from tests.supervisor.journal.journal_support import EngineOfClaims, claim, raw, recover_results


class Delivery:
    """Takes what is to be sent."""

    def __init__(self) -> None:
        self.got: list[StoredResult] = []

    def submit(self, result: StoredResult) -> None:
        if result not in self.got:
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
                "The block may have done a part of its work. If it changes devices, the worker's log, at this job's "
                "id, says which change "
                "was under way, and a rollback of the step takes back what is in force.",
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


def recovery(ledger: Ledger, delivery: Delivery, engine: EngineOfClaims, now: float = 2.0) -> Recovery:
    """`now` is half a second after the claims, by default."""
    return Recovery(
        ledger,
        delivery,  # type: ignore[arg-type]
        engine,
        engine_job_timeout_seconds=720.0,
        clock=lambda: now,
    )


async def test_what_the_engine_waits_for_is_reported_and_what_it_has_given_up_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """I8: it may have started the job again elsewhere, and our result would be taken for that of the new try."""
    ledger = await Ledger.open(tmp_path)
    await ledger.claim([claim("held"), claim("over")])
    await ledger.close()
    ledger, delivery = await Ledger.open(tmp_path), Delivery()
    await recovery(ledger, delivery, engine := EngineOfClaims(**{"w-1": ["held", "other"]})).recover()
    assert [result.job_id for result in delivery.got] == ["held"]
    assert engine.asked == ["w-1"]
    assert [event["job"] for event in told(caplog, ClaimOver)] == ["over"]
    assert ledger.known_job_ids() == {"held"}
    await ledger.close()


async def test_without_the_engine_s_word_a_claim_older_than_its_limit_is_set_aside_until_the_job_comes_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger, delivery = await left_by_the_last_run(tmp_path), Delivery()
    engine = EngineOfClaims()
    engine.errors = [EngineError("no token", status=401, retryable=False)]
    await recovery(ledger, delivery, engine, now=1.5 + 721.0).recover()
    assert [result.job_id for result in delivery.got] == ["waiting"]
    assert [event["job"] for event in told(caplog, ClaimSetAside)] == ["running"]
    await ledger.close()
    ledger = await Ledger.open(tmp_path)
    assert (ledger.interrupted(), ledger.known_job_ids()) == ([], {"waiting"})
    assert raw(tmp_path, "SELECT job_id FROM claims WHERE dead_reason NOT NULL") == [("running",)]
    await ledger.claim([claim("running")])
    await ledger.close()
    assert raw(tmp_path, "SELECT job_id, dead_reason FROM claims WHERE job_id = 'running'") == [
        ("running", None)
    ]


async def test_an_engine_that_does_not_answer_at_once_is_asked_again(tmp_path: Path) -> None:
    ledger, delivery = await left_by_the_last_run(tmp_path), Delivery()
    engine = EngineOfClaims()
    engine.errors = [EngineError("away", status=503)]
    await recovery(ledger, delivery, engine).recover()
    assert (engine.asked, [result.job_id for result in delivery.got]) == (["w-1", "w-1"], ["waiting"])
    await ledger.close()


async def test_a_copy_reports_no_job_sends_what_is_finished_and_belongs_to_its_place_from_then_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """I8: the original runs it, and the engine would take the copy's word for it."""
    await (await left_by_the_last_run(tmp_path / "one")).close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    ledger, delivery = await Ledger.open(tmp_path / "two"), Delivery()
    await recovery(ledger, delivery, engine := EngineOfClaims(**{"w-1": ["running"]})).recover()
    assert ([result.job_id for result in delivery.got], engine.asked) == (["waiting"], [])
    assert [(event["job"], event["claim"]) for event in told(caplog, ClaimSetAside)] == [("running", 1)]
    await ledger.close()
    ledger, delivery = await Ledger.open(tmp_path / "two"), Delivery()
    assert ledger.doubt is None
    await recovery(ledger, delivery, engine).recover()
    assert [result.job_id for result in delivery.got] == ["waiting"]
    await ledger.close()


async def test_a_job_is_reported_as_interrupted_once_also_if_the_journal_finds_more_meanwhile(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path)
    await ledger.claim([claim("one"), claim("other")])
    await ledger.close()
    ledger, delivery = await Ledger.open(tmp_path), Delivery()
    recovering = recovery(ledger, delivery, EngineOfClaims(**{"w-1": ["one", "other"]}))
    await asyncio.gather(recovering.recover(), recovering.recover())
    assert [event["job"] for event in told(caplog, JobInterrupted)] == ["one", "other"]
    assert [result.job_id for result in delivery.got] == ["one", "other"]
    await ledger.close()
