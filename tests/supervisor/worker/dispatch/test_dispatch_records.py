"""What can be read of a job: its lines while it runs, and how it ended afterwards, whatever the end was."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from dispatch_support import BLOCK, Scene, crash, job, scene, success

from jobrunner.protocol.masking import Mask
from supervisor.engine.items import LostJob
from supervisor.job.result import Finished
from supervisor.journal.ended_jobs.ended_job import EndedJob
from supervisor.journal.ended_jobs.store import EndedJobs
from supervisor.log.events.ended_jobs import ResultNotKept
from supervisor.process.long_work import LongWork
from supervisor.verdict import ExitStatus, Usage
from supervisor.watch.fair_mask import FairMask
from supervisor.worker.job_records import JobRecords
from tests.log_events import told
from tests.patience import until


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[EndedJobs]:
    jobs = EndedJobs(tmp_path / "ended_jobs", 100)
    yield jobs
    await jobs.close()


async def read(kept: EndedJobs, job_id: str) -> tuple[EndedJob, list[dict[str, object]], bytes]:
    opened = await kept.read(job_id)
    assert opened is not None, f"{job_id} is kept"
    try:
        lines = [json.loads(line) for line in (await kept.portion(opened, 0)).splitlines()]
        return opened.job, lines, await kept.result(opened)
    finally:
        kept.close_file(opened)


async def runs(stage: Scene, job_id: str) -> None:
    await until(lambda: job_id in stage.runner.running, f"{job_id} runs")


async def test_a_job_is_kept_with_its_lines_and_with_the_figures_of_its_end(
    tmp_path: Path, kept: EndedJobs
) -> None:
    async with scene(tmp_path, records=JobRecords(kept)) as stage:
        await stage.accept(job("a"))
        await runs(stage, "a")
        log = stage.dispatcher.records.running_log("a")
        assert log is not None
        stage.runner.on_line["a"](20, "job_log", "asking", {"logger": "acme"})
        assert log.last_line == "asking"
        usage = Usage(1.25, peak_memory_mb=33.0, cpu_seconds=0.5, peak_processes=7)
        ended = success(b'{"data": {}}')
        ending = replace(ended.ending, usage=usage, exit_status=ExitStatus(code=0))
        await stage.end("a", replace(ended, ending=ending))
        assert stage.dispatcher.records.running_log("a") is None
        assert log.ended
        found, lines, result = await read(kept, "a")
    assert [line["event"] for line in lines] == ["job_started", "job_log", "job_ended"]
    assert (found.job_id, found.block, found.outcome, found.cause) == ("a", BLOCK, "success", "completed")
    assert (found.seconds, found.cpu_seconds, found.peak_memory_mb, found.peak_processes) == (
        1.25,
        0.5,
        33.0,
        7,
    )
    assert (found.exit_code, found.signal, found.slot, found.limit_seconds) == (0, None, 0, 10.0)
    assert found.pid == stage.runner.pid_of("a")
    assert found.parameters_digest
    assert found.started_at is not None
    assert found.started_at <= found.ended_at
    assert (found.result_bytes, result) == (12, b""), "result data only by the setting"


async def test_jobs_that_crash_meet_a_bug_or_are_not_run_are_kept_too(
    tmp_path: Path, kept: EndedJobs
) -> None:
    async with scene(tmp_path, records=JobRecords(kept)) as stage:
        await stage.accept(job("crash"))
        await stage.end("crash", crash())
        await stage.accept(job("bug"))
        await stage.end("bug", RuntimeError("a bug"))
        await stage.accept(job("unknown", "no/such:1.0.0"))
        ended = {name: (await read(kept, name))[0] for name in ("crash", "bug", "unknown")}
    assert {name: each.cause for name, each in ended.items()} == {
        "crash": "crashed",
        "bug": "worker_error",
        "unknown": "unknown_block",
    }
    assert all(each.outcome == "failed" and each.message for each in ended.values())
    assert ended["crash"].signal == "SIGSEGV"
    assert ended["bug"].seconds is not None
    assert (ended["unknown"].seconds, ended["unknown"].started_at) == (None, None)


def returned(data: object, mask: Mask) -> Finished:
    return replace(success(json.dumps({"data": data}).encode()), mask=FairMask(mask, LongWork()))


async def test_result_data_are_kept_masked_where_that_is_wanted(
    tmp_path: Path, kept: EndedJobs, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "s3cret-of-r1"
    many = [f"text {number} " * 20 for number in range(500)]  # too many for one turn of the loop
    large = "x" * 300_000
    async with scene(tmp_path, records=JobRecords(kept, keep_results=True)) as stage:
        for name, data in (("small", secret), ("many", [*many, secret]), ("large", large)):
            await stage.accept(job(name))
            await stage.end(name, returned(data, Mask([secret])))
        small, masked_many, nothing = [(await read(kept, name))[2] for name in ("small", "many", "large")]
    assert json.loads(small) == {"data": "***"}
    assert json.loads(masked_many) == {"data": [*many, "***"]}
    assert nothing == b""
    assert [event["job"] for event in told(caplog, ResultNotKept)] == ["large"]


async def test_a_job_can_be_found_at_every_moment_of_its_end(tmp_path: Path, kept: EndedJobs) -> None:
    records = JobRecords(kept)
    async with scene(tmp_path, records=records) as stage:
        await stage.accept(job("a"))
        await runs(stage, "a")
        stage.runner.running["a"].set_result(success())
        while stage.dispatcher.busy:
            assert records.running_log("a") is not None or kept.find("a")
            await asyncio.sleep(0)
        assert kept.find("a")


async def test_where_no_jobs_are_kept_those_that_run_can_be_read_all_the_same(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await runs(stage, "a")
        assert stage.dispatcher.records.running_log("a") is not None
        await stage.end("a", success())
        assert stage.dispatcher.records.running_log("a") is None


async def test_a_success_that_the_engine_has_lost_is_not_reported_as_a_job_that_was_not_run(
    tmp_path: Path, kept: EndedJobs
) -> None:
    async with scene(tmp_path, records=JobRecords(kept)) as stage:
        for job_id, how in (("done", success()), ("crashed", crash())):
            await stage.accept(job(job_id))
            await stage.end(job_id, how)
            await stage.result_of(job_id)
        stage.engine.got.clear()
        await stage.dispatcher.report_lost([LostJob("done", BLOCK), LostJob("crashed", BLOCK)], "w-1")
        result = (await stage.result_of("done"))["result"]
        assert "has done its work" in result["message"]
        assert "retryable" not in result, "it is for the engine to say"
        retried = (await stage.result_of("crashed"))["result"]
        assert (retried["message"].startswith("Not run: "), retried["retryable"]) == (True, True)
        ended, _, _ = await read(kept, "done")
        assert (ended.outcome, ended.cause) == ("success", "completed")
