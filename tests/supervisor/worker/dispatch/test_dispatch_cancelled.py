"""Cancelling a job: what it ends, what it does not, and who is told the verdict."""

import asyncio
from pathlib import Path

import pytest
from dispatch_support import cancelled, job, scene, success

from supervisor.log.events.jobs import JobNotRun
from supervisor.verdict import Cause
from tests.log_events import told
from tests.patience import until


async def test_who_cancels_a_running_job_gets_the_verdict_that_the_engine_gets(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"))
        await until(lambda: stage.runner.running, "it runs")
        verdict = stage.dispatcher.cancel("runs")
        assert verdict is not None
        assert stage.runner.cancelled == ["runs"]
        assert not verdict.done()
        await stage.end("runs", cancelled())
        assert (await verdict).cause is Cause.CANCELLED
        assert (await stage.result_of("runs"))["result"]["message"] == "cancelled"
        assert stage.runner.cancelled == [], "a retry of it would be cancelled"


async def test_a_job_that_ends_by_itself_meanwhile_keeps_its_result(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"))
        await until(lambda: stage.runner.running, "it runs")
        verdict = stage.dispatcher.cancel("runs")
        assert verdict is not None
        await stage.end("runs", success())
        assert (await verdict).cause is Cause.COMPLETED


async def test_a_job_that_waits_for_a_slot_is_never_run_and_its_slot_s_owner_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"), job("waits"), job("last"))
        await until(lambda: stage.runner.running, "the first one runs")
        verdict = stage.dispatcher.cancel("waits")
        assert verdict is not None
        assert (await verdict).cause is Cause.CANCELLED
        assert not (await stage.result_of("waits"))["result"]["success"]
        assert [event["cause"] for event in told(caplog, JobNotRun)] == ["cancelled"]
        for name in ("runs", "last"):
            await stage.end(name, success())
        assert stage.runner.started == ["runs", "last"]
        await stage.dispatcher.wait_until_idle()


async def test_the_end_of_the_worker_waits_for_the_result_of_a_job_that_was_cancelled_in_the_queue(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"), job("waits"))
        await until(lambda: stage.runner.running, "the first one runs")
        stage.dispatcher.cancel("waits")
        stage.runner.running["runs"].set_result(success())
        await asyncio.wait_for(stage.dispatcher.wait_until_idle(), 30)
        assert [what for what in stage.calls if what[0] == "store"] == [("store", "waits"), ("store", "runs")]


async def test_a_job_that_waits_is_free_to_come_again_once_it_is_cancelled(tmp_path: Path) -> None:
    """That is the engine's retry by somebody who has changed his mind."""
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"), job("waits"))
        await until(lambda: stage.runner.running, "the first one runs")
        verdict = stage.dispatcher.cancel("waits")
        assert verdict is not None
        await verdict
        await until(lambda: stage.dispatcher.busy == 1, "the cancellation is over")
        await stage.accept(job("waits"))
        await stage.end("runs", success())
        await stage.end("waits", success())
        assert stage.runner.started == ["runs", "waits"]


async def test_a_job_that_is_unknown_has_ended_or_is_being_delivered_can_t_be_cancelled(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        assert stage.dispatcher.cancel("unknown") is None
        stage.engine.is_away = True
        await stage.accept(job("ended"))
        await stage.end("ended", success())
        assert "ended" in stage.dispatcher.known_job_ids, "its result waits for the engine"
        assert stage.dispatcher.cancel("ended") is None
        assert stage.runner.cancelled == []


async def test_two_who_cancel_are_both_told_and_one_who_leaves_takes_nothing_from_the_other(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"))
        await until(lambda: stage.runner.running, "it runs")
        one, other = stage.dispatcher.cancel("runs"), stage.dispatcher.cancel("runs")
        assert one is not None
        assert other is not None
        leaving = asyncio.ensure_future(asyncio.shield(one))
        await asyncio.sleep(0)
        leaving.cancel()
        await stage.end("runs", cancelled())
        assert (await other).cause is Cause.CANCELLED


async def test_a_bug_on_the_way_to_the_result_leaves_nobody_waiting(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("runs"))
        await until(lambda: stage.runner.running, "it runs")
        verdict = stage.dispatcher.cancel("runs")
        assert verdict is not None
        await stage.end("runs", RuntimeError("a bug"))
        assert (await verdict).cause is Cause.WORKER_ERROR
