"""What is claimed and can't be run gets a failed result that says why, and takes no slot."""

import asyncio
import logging
from pathlib import Path

import pytest
from dispatch_support import BLOCK, Scene, block_entry, crash, job, scene, success

from jobrunner.protocol.catalogue import Catalogue, ImportProblem
from supervisor.engine.items import LostJob, MalformedJob
from supervisor.log.events.jobs import (
    BlockQuarantined,
    JobEnded,
    JobMetBug,
    JobNotRun,
    JobStarted,
    JobWithoutId,
)
from supervisor.log.events.worker import TaskFailed
from supervisor.verdict import Cause, Verdict
from tests.log_events import facts_of, records_of, told
from tests.patience import PATIENCE_SECONDS, until


async def test_a_job_of_an_unknown_block_fails_for_good_and_the_others_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("bad", "acme/gone:1.0.0"), job("good"))
        result = await stage.result_of("bad")
        assert (result["status"], result["result"]["retryable"]) == ("failed", False)
        assert result["result"]["message"] == "This worker has no block acme/gone:1.0.0."
        (record,) = records_of(caplog, JobNotRun)
        assert (record.levelname, facts_of(record)) == (
            "ERROR",
            {
                "job": "bad",
                "block": "acme/gone:1.0.0",
                "outcome": "failed",
                "cause": "unknown_block",
                "explanation": result["result"]["message"],
            },
        )
        await stage.end("good", success())


class SlowDisk:
    """Finishes no write of a result before so many have begun."""

    def __init__(self, stage: Scene, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        self._stored, self._left, self._all_begun = stage.ledger.store_result, count, asyncio.Event()
        monkeypatch.setattr(stage.ledger, "store_result", self.store_result)

    async def store_result(self, number: int, text: bytes) -> None:
        self._left -= 1
        if self._left <= 0:
            self._all_begun.set()
        await self._all_begun.wait()
        await self._stored(number, text)


async def test_no_refusal_and_no_job_that_runs_waits_for_the_disk_behind_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would take its own write, in a turn of the poller that has only seconds."""
    async with scene(tmp_path) as stage:
        SlowDisk(stage, monkeypatch, 4)
        accepting = asyncio.ensure_future(
            stage.accept(
                MalformedJob("a", "odd"), job("b", "acme/gone:1.0.0"), MalformedJob("c", "odd"), job("good")
            )
        )
        await until(lambda: "good" in stage.runner.running, "the job that can run does")
        assert not accepting.done()
        await stage.end("good", success())
        await asyncio.wait_for(accepting, PATIENCE_SECONDS)
        assert [(await stage.result_of(each))["status"] for each in "abc"] == ["failed"] * 3


async def test_lost_jobs_are_reported_together_and_none_waits_for_the_disk_behind_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as stage:
        SlowDisk(stage, monkeypatch, 3)
        lost = [LostJob(each, BLOCK) for each in "abc"]
        await asyncio.wait_for(stage.dispatcher.report_lost(lost, "w-1"), PATIENCE_SECONDS)
        assert [(await stage.result_of(each))["status"] for each in "abc"] == ["failed"] * 3


async def test_a_module_that_could_not_be_imported_is_named_where_a_block_is_missing(tmp_path: Path) -> None:
    problems = tuple(
        ImportProblem(
            module=f"m{n}", file=f"m{n}.py", line=n, kind="error", message=f"broken {n}", traceback=""
        )
        for n in range(1, 5)
    )
    async with scene(tmp_path) as stage:
        stage.dispatcher.offer(Catalogue(blocks=(block_entry(),), problems=problems))
        await stage.accept(job("bad", "acme/gone:1.0.0"))
        message = (await stage.result_of("bad"))["result"]["message"]
        assert "m1.py:1: broken 1; m2.py:2: broken 2; m3.py:3: broken 3" in message
        assert "broken 4" not in message


async def test_a_job_that_can_not_be_understood_fails_for_good_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(MalformedJob("bad", "it has no parameters"))
        result = await stage.result_of("bad")
        assert (result["status"], result["result"]["retryable"]) == ("failed", False)
        assert result["result"]["message"] == "it has no parameters"
        # Of a job that can't be read, no block is known.
        assert told(caplog, JobNotRun) == [
            {
                "job": "bad",
                "outcome": "failed",
                "cause": "malformed_job",
                "explanation": "it has no parameters",
            }
        ]
        assert stage.dispatcher.free_slots == 1


async def test_a_job_without_an_id_is_told_to_the_operator_and_harms_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(MalformedJob(None, "no id"), job("good"))
        assert ("claim", ["good"]) in stage.calls
        (record,) = records_of(caplog, JobWithoutId)
        assert (record.levelname, facts_of(record)) == ("ERROR", {"reason": "no id"})
        await stage.end("good", success())


async def test_a_block_that_a_reload_took_away_is_not_run_although_its_job_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"), job("waits"))
        await until(lambda: stage.runner.running, "the first one runs")
        stage.dispatcher.offer(Catalogue(blocks=(block_entry("acme/new:1.0.0"),)))
        assert stage.dispatcher.catalogue.find(BLOCK) is None
        await stage.end("runs", success())
        result = await stage.result_of("waits")
        assert (result["status"], result["result"]["retryable"]) == ("failed", False)
        assert stage.runner.started == ["runs"]
        await until(lambda: stage.dispatcher.free_slots == 1, "the slot is free")
        assert [record for record in caplog.records if record.levelname == "CRITICAL"] == []


async def test_who_runs_a_job_can_ask_for_its_block_as_a_reload_has_left_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"))
        await until(lambda: stage.runner.running, "it runs")
        changed = block_entry(max_seconds=7.0)
        stage.dispatcher.offer(Catalogue(blocks=(changed,)))
        assert stage.runner.offered["runs"]() is changed
        stage.dispatcher.offer(Catalogue(blocks=(block_entry("acme/new:1.0.0"),)))
        gone = stage.runner.offered["runs"]()
        assert isinstance(gone, Verdict)
        assert gone.cause is Cause.UNKNOWN_BLOCK
        await stage.end("runs", success())


async def test_a_job_that_never_arrived_may_be_started_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.dispatcher.report_lost([LostJob("lost", BLOCK)], "w-1")
        result = await stage.result_of("lost")
        assert result["result"]["retryable"] is True
        assert result["result"]["message"].startswith("Not run: ")


async def test_of_a_job_that_the_last_run_may_have_begun_the_engine_decides(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.dispatcher.report_lost([LostJob("lost", BLOCK)], "w-1", by_the_last_run=True)
        result = await stage.result_of("lost")
        assert "retryable" not in result["result"]
        assert "may have done a part of its work" in result["result"]["message"]


async def test_a_bug_of_this_worker_ends_the_job_with_a_result_and_frees_the_slot(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("unlucky"))
        await stage.end("unlucky", RuntimeError("a bug"))
        result = await stage.result_of("unlucky")
        assert result["status"] == "failed"
        assert "a bug in this worker" in result["result"]["message"]
        (record,) = [record for record in caplog.records if record.levelname == "CRITICAL"]
        facts = facts_of(record)
        assert facts.pop("seconds") == 0.0
        ended = {"outcome": "failed", "cause": "worker_error"}
        assert (record.event, facts) == (JobMetBug.name, {"job": "unlucky", "block": BLOCK, **ended})
        assert record.exc_info, "a bug is told with the place where it is"
        assert stage.dispatcher.free_slots == 1


async def test_a_bug_outside_of_the_run_is_told_and_frees_the_slot(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("good"))
        await stage.end("good", success())
        assert [record for record in caplog.records if record.levelname == "CRITICAL"] == []

        def submit(result: object) -> None:
            raise RuntimeError("a bug")

        stage.delivery.submit = submit  # type: ignore[assignment, method-assign]
        await stage.accept(job("unlucky"))
        await stage.end("unlucky", success())
        await until(lambda: records_of(caplog, TaskFailed), "it is told")
        (record,) = [record for record in caplog.records if record.levelname == "CRITICAL"]
        assert record.event == TaskFailed.name
        assert facts_of(record) == {"task": "job unlucky", "consequence": "The worker goes on."}
        assert record.exc_info, "a bug is told with the place where it is"
        assert stage.dispatcher.free_slots == 1


async def test_after_three_deaths_the_same_job_is_refused_until_a_reload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        for number in range(3):
            await stage.accept(job(f"deadly {number}", device="r1"))
            await stage.end(f"deadly {number}", crash())
        (record,) = records_of(caplog, BlockQuarantined)
        assert (record.levelname, facts_of(record)["block"]) == ("CRITICAL", BLOCK)
        assert f"Block {BLOCK} has killed its process 3 times" in facts_of(record)["explanation"]
        await stage.accept(job("refused", device="r1"), job("other", device="r2"))
        result = await stage.result_of("refused")
        assert (result["status"], result["result"]["retryable"]) == ("failed", False)
        assert "Not run: Block acme/block:1.0.0 has killed its process 3 times" in result["result"]["message"]
        await stage.end("other", success())
        stage.dispatcher.offer(stage.dispatcher.catalogue)
        await stage.accept(job("after", device="r1"))
        await stage.end("after", success())
        assert "refused" not in stage.runner.started


async def test_a_death_is_counted_before_its_result_leaves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine may send the job again as soon as it has the result."""
    counted: list[bool] = []

    async def store(number: int, text: bytes) -> None:
        counted.append(bool(told(caplog, BlockQuarantined)))

    async with scene(tmp_path) as stage:
        stage.ledger.store_result = store  # type: ignore[method-assign]
        for number in range(3):
            await stage.accept(job(f"deadly {number}"))
            await stage.end(f"deadly {number}", crash())
    assert counted == [False, False, True]


async def test_a_quarantine_ends_by_the_clock(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        for number in range(3):
            await stage.accept(job(f"deadly {number}"))
            await stage.end(f"deadly {number}", crash())
        stage.now += 3600.0
        await stage.accept(job("after"))
        await stage.end("after", success())


async def test_a_death_under_the_old_code_does_not_count_against_the_new(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=3) as stage:
        await stage.accept(*(job(f"old {number}") for number in range(3)))
        await until(lambda: len(stage.runner.running) == 3, "all run")
        stage.dispatcher.offer(stage.dispatcher.catalogue)
        for number in range(3):
            await stage.end(f"old {number}", crash())
        await stage.accept(job("new"))
        await stage.end("new", success())


async def test_a_success_is_told_once_and_quietly_and_what_is_wrong_is_told_as_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with scene(tmp_path) as stage:
        await stage.accept(job("good"))
        await stage.end("good", success())
        await stage.accept(job("bad"))
        await stage.end("bad", crash())
    records = [record for record in caplog.records if facts_of(record).get("job") in ("good", "bad")]
    assert [(record.levelname, record.event, facts_of(record)["job"]) for record in records] == [
        ("INFO", JobStarted.name, "good"),
        ("INFO", JobEnded.name, "good"),
        ("INFO", JobStarted.name, "bad"),
        ("WARNING", JobEnded.name, "bad"),
    ]
    good, bad = told(caplog, JobEnded)
    assert (good["outcome"], good["cause"], good["seconds"]) == ("success", "completed", 1.0)
    assert (bad["outcome"], bad["cause"], bad["seconds"]) == ("failed", "crashed", 1.0)
    assert (good["explanation"], bad["explanation"]) == ("", "crashed")
