"""A result that is written at the outcome, before anybody knows how the job's child ends."""

from dataclasses import replace
from pathlib import Path

from dispatch_support import job, scene, success

from tests.patience import until


async def test_what_is_foreseen_is_not_sent_before_the_job_is_over(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await until(lambda: stage.runner.running, "it runs")
        stage.runner.on_outcome["a"](success(b'{"data": {"x": 1}}'))
        await stage.ledger.remember("name", "value")  # behind it in the file
        assert [call for call in stage.calls if call[0] == "submit"] == []
        assert stage.engine.tries == 0
        await stage.end("a", success(b'{"data": {"x": 1}}'))
        assert (await stage.result_of("a"))["result"]["data"] == {"x": 1}


async def test_a_verdict_that_is_not_as_foreseen_is_the_one_result(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        done = success()
        noted = replace(done, verdict=replace(done.verdict, message="done\nNote: not watched for 3 s."))
        await stage.accept(job("a"))
        await until(lambda: stage.runner.running, "it runs")
        stage.runner.on_outcome["a"](done)
        await stage.end("a", noted)
        assert (await stage.result_of("a"))["result"]["message"] == noted.verdict.message


async def test_a_bug_of_the_worker_after_the_outcome_is_told_as_before(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        await until(lambda: stage.runner.running, "it runs")
        stage.runner.on_outcome["a"](success())
        await stage.end("a", RuntimeError("a bug"))
        assert (await stage.result_of("a"))["status"] == "failed"
