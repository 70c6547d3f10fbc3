"""What goes into the journal and to the engine for a job."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from dispatch_support import BLOCK, job, scene, success

from supervisor.journal import StoredResult
from supervisor.log.events.jobs import JobEnded, JobWarning
from tests.log_events import facts_of, told
from tests.patience import until


async def test_what_the_block_returned_goes_to_the_engine_as_it_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await stage.end("a", success(b'{"data": {"x": 1}}', b'[{"key": "k"}]'))
        assert await stage.result_of("a") == {
            "jobExecutionId": "a",
            "status": "success",
            "result": {"success": True, "message": "done", "data": {"x": 1}},
            "acquires": [{"key": "k"}],
        }


async def test_an_engine_that_does_not_know_retryable_is_not_told(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.engine.knows_retryable = False
        await stage.accept(job("a", "acme/gone:1.0.0"))
        assert "retryable" not in (await stage.result_of("a"))["result"]


async def test_the_claim_says_worker_block_and_a_digest_and_never_a_parameter(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a", password="hunter2"), job("b", password="hunter3"), job("c"))
        await stage.ledger.close()
        again = await type(stage.ledger).open(tmp_path)
        claims = {entry.claim.job_id: entry.claim for entry in again.interrupted()}
        assert {(claim.worker_uuid, claim.block_id) for claim in claims.values()} == {
            ("w-1", "acme/block:1.0.0")
        }
        assert len({claim.digest for claim in claims.values()}) == 3
        assert "hunter" not in repr(claims)
        await again.close()


async def test_the_jobs_that_this_worker_has_are_those_that_the_engine_has_no_result_of(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"), job("b"))
        assert stage.dispatcher.known_job_ids == {"a", "b"}
        await stage.end("a", success())
        await until(lambda: stage.dispatcher.known_job_ids == {"b"}, "the first one is delivered")


async def test_a_result_that_was_there_already_is_the_one_that_is_sent(tmp_path: Path) -> None:
    """The first one stays (I8): what the journal holds is sent, not what came second."""
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await until(lambda: stage.runner.running, "it runs")
        first = json.dumps({"jobExecutionId": "a", "first": True}).encode()
        await stage.ledger.store_result(1, first)
        await stage.end("a", success())
        assert await stage.result_of("a") == {"jobExecutionId": "a", "first": True}


async def test_a_result_that_the_engine_has_by_now_is_not_handed_on_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await until(lambda: stage.runner.running, "it runs")
        stage.ledger.forget(1)
        await stage.end("a", success())
        assert [call for call in stage.calls if call[0] == "submit"] == []


async def test_a_warning_about_a_success_is_told_to_the_operator(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with scene(tmp_path) as stage:
        done = success()
        await stage.accept(job("a"))
        await stage.end("a", replace(done, verdict=replace(done.verdict, warning="it left 2 behind")))
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.event == JobWarning.name
    assert facts_of(record) == {"job": "a", "block": BLOCK, "warning": "it left 2 behind"}


async def test_the_delivery_sends_what_is_in_the_journal(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        sent: list[StoredResult] = []
        stage.delivery.submit = sent.append  # type: ignore[method-assign]  # only looked at here
        await stage.accept(job("a"))
        await stage.end("a", success())
        assert sent == stage.ledger.undelivered()


async def test_a_result_is_sent_before_its_job_is_told_of_kept_and_tidied_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All of that would take a processor, and the disk, from it."""
    caplog.set_level(logging.INFO)
    async with scene(tmp_path) as stage:
        before: list[object] = []
        take = stage.engine.push_result

        async def push_result(text: bytes, *, fresh: bool = False) -> bool:
            is_kept = stage.dispatcher.records.running_log("a") is None
            before.append((told(caplog, JobEnded), is_kept, list(stage.runner.tidied)))
            return await take(text, fresh=fresh)

        stage.engine.push_result = push_result  # type: ignore[method-assign]
        await stage.accept(job("a"))
        await stage.end("a", success())
        assert before == [([], False, [])]
        assert [event["job"] for event in told(caplog, JobEnded)] == ["a"]
        assert stage.dispatcher.records.running_log("a") is None
        assert stage.runner.tidied == ["a"]
