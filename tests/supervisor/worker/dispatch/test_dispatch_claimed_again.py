"""A job that the engine hands out again (I8): what its last try left is not sent for the new one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dispatch_support import Scene, cancelled, crash, job, scene, success

from supervisor.engine.items import MalformedJob
from supervisor.log.events.jobs import JobRepeated
from supervisor.verdict import Cause
from supervisor.worker.job_records import JobRecords
from tests.log_events import told
from tests.patience import until


async def test_the_result_that_waits_is_given_up_when_its_job_is_claimed_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.engine.is_away = True
        await stage.accept(job("again"))
        await stage.end("again", success(b'{"data": {"try": 1}}'))
        await until(lambda: stage.engine.tries, "the first result was tried once")
        await stage.accept(job("again"))
        stage.engine.is_away = False
        await stage.end("again", success(b'{"data": {"try": 2}}'))
        assert await stage.delivery.wait_until_delivered(30)
        assert [text["result"]["data"] for text in stage.engine.results_of("again")] == [{"try": 2}]
        assert stage.ledger.known_job_ids() == set()


async def test_earlier_results_are_given_up_before_the_new_claims_are_recorded(tmp_path: Path) -> None:
    """After a crash between the two, a result of the old try would be sent for the new one."""
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"), job("b"))
        assert stage.calls[:2] == [("supersede", ["a", "b"]), ("claim", ["a", "b"])]


async def test_a_job_that_comes_twice_is_run_once(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=4) as stage:
        await stage.accept(job("one"), job("one"))
        await until(lambda: stage.runner.running, "it runs")
        await stage.accept(job("one"), job("other"))
        assert stage.dispatcher.busy == 2
        await stage.end("one", success())
        await stage.end("other", success())
        assert stage.runner.started == ["one", "other"]
        assert len(stage.engine.results_of("one")) == 1


async def test_of_two_in_one_answer_the_first_is_run_and_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(MalformedJob("one", "the first"), MalformedJob("one", "the second"))
        assert (await stage.result_of("one"))["result"]["message"] == "the first"
        assert told(caplog, JobRepeated) == [{"job": "one"}]


async def test_a_job_that_waits_for_a_slot_is_not_taken_a_second_time(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"), job("waits"))
        await stage.accept(job("waits"))
        assert stage.dispatcher.busy == 2


async def test_a_job_whose_result_is_delivered_is_run_when_it_comes_again(tmp_path: Path) -> None:
    """That is the engine's retry."""
    async with scene(tmp_path) as stage:
        for _ in range(2):
            await stage.accept(job("retried"))
            await stage.end("retried", success())
        assert stage.runner.started == ["retried", "retried"]


@asynccontextmanager
async def try_that_is_tidied_up(directory: Path, records: JobRecords | None = None) -> AsyncIterator[Scene]:
    """Yield a scene of two slots: the engine has the result of job "retried", and its slot waits for the disk."""
    async with scene(directory, slots=2, records=records) as stage:
        stage.runner.untidy = asyncio.Event()
        await stage.accept(job("retried"))
        await until(lambda: stage.runner.running, "it runs")
        stage.runner.running["retried"].set_result(crash())
        await stage.result_of("retried")
        yield stage
        stage.runner.untidy.set()


async def test_the_engine_s_retry_is_run_while_the_last_try_is_tidied_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with try_that_is_tidied_up(tmp_path) as stage:
        await stage.accept(job("retried"))
        await until(lambda: "retried" in stage.runner.running, "the retry runs")
        assert told(caplog, JobRepeated) == []
        stage.runner.running["retried"].set_result(success())
        await until(lambda: len(stage.engine.results_of("retried")) == 2, "the engine has its result too")


async def test_a_try_whose_slot_is_free_at_last_takes_nothing_of_its_retry_along(tmp_path: Path) -> None:
    """Neither its place among the running jobs, nor who waits for its end, nor that it was cancelled."""
    async with try_that_is_tidied_up(tmp_path) as stage:
        await stage.accept(job("retried"))
        await until(lambda: "retried" in stage.runner.running, "the retry runs")
        verdict = stage.dispatcher.cancel("retried")
        assert verdict is not None
        assert stage.runner.untidy is not None
        stage.runner.untidy.set()
        await until(lambda: stage.dispatcher.busy == 1, "the slot of the last try is free")
        assert stage.runner.cancelled == ["retried"]
        assert [each.state for each in stage.dispatcher.running_jobs.listed()] == ["reporting"]
        await stage.accept(job("retried"))
        assert stage.runner.started == ["retried"] * 2, "it runs once"
        await stage.end("retried", cancelled())
        assert (await verdict).cause is Cause.CANCELLED


async def test_who_cancels_a_retry_is_not_forgotten_with_the_last_try(tmp_path: Path) -> None:
    records = JobRecords(keep_results=True)
    masking = asyncio.Event()

    async def slowly(_: object, __: object) -> bytes:
        await masking.wait()
        return b""

    records._result_of = slowly  # type: ignore[method-assign, assignment]  # a mask that takes its time
    async with scene(tmp_path, slots=2, records=records) as stage:
        await stage.accept(job("retried"))
        await until(lambda: stage.runner.running, "it runs")
        stage.runner.running["retried"].set_result(success())
        await stage.result_of("retried")
        await stage.accept(job("retried"))
        records.cancelled("retried", "ada")
        masking.set()
        await until(lambda: stage.dispatcher.busy == 1, "the last try is over")
        demand = records.cancel_demand("retried")
        assert demand is not None
        assert demand.by == "ada"
