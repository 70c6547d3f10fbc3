"""The slots: how many jobs run, when one is free again, and which are set aside."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from dispatch_support import BLOCK, job, scene, success

from supervisor.log.events.jobs import JobStarted, JobStuck, JobUnstuck
from tests.log_events import facts_of, records_of, told
from tests.patience import PATIENCE_SECONDS, until


async def test_no_more_jobs_run_than_there_are_slots_and_the_rest_waits_in_its_order(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=2) as stage:
        await stage.accept(*(job(name) for name in "abcd"))
        await until(lambda: len(stage.runner.running) == 2, "two run")
        assert (stage.dispatcher.busy, stage.dispatcher.free_slots) == (4, 0)
        for name in "abcd":
            await stage.end(name, success())
        assert stage.runner.started == list("abcd")
        assert (stage.dispatcher.busy, stage.dispatcher.free_slots) == (0, 2)


async def test_a_job_that_runs_takes_one_slot(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=3) as stage:
        assert stage.dispatcher.free_slots == 3
        await stage.accept(job("a"))
        assert (stage.dispatcher.busy, stage.dispatcher.free_slots) == (1, 2)


async def test_the_slot_is_free_only_when_the_result_is_stored_and_handed_on(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"), job("b"))
        await stage.end("a", success())
        await until(lambda: "b" in stage.runner.started, "the next job has the slot")
        after_claim = [call for call in stage.calls if call[0] in ("run", "store", "submit")]
        assert after_claim == [("run", "a"), ("store", "a"), ("submit", "a"), ("run", "b")]


async def test_the_slot_waits_for_what_its_own_job_has_left_and_the_result_does_not(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=2) as stage:
        stage.runner.untidy = asyncio.Event()
        await stage.accept(job("a"), job("b"))
        await until(lambda: "b" in stage.runner.running, "both run")
        stage.runner.running["a"].set_result(success())
        assert (await stage.result_of("a"))["jobExecutionId"] == "a"
        assert stage.dispatcher.busy == 2
        stage.runner.untidy.set()
        await until(lambda: stage.dispatcher.busy == 1, "the slot of the first is free")
        await stage.end("b", success())


async def test_whoever_waits_for_a_slot_is_told_when_one_is_free(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("a"))
        assert not stage.dispatcher.changed.is_set()
        await stage.end("a", success())
        await asyncio.wait_for(stage.dispatcher.changed.wait(), PATIENCE_SECONDS)


async def test_the_slot_of_a_job_that_can_not_be_killed_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path, slots=2) as stage:
        await stage.accept(job("stuck"), job("b"), job("c"))
        await stage.end("stuck", replace(success(), stuck=True))
        assert stage.runner.started == ["stuck", "b"]
        assert (stage.dispatcher.busy, stage.dispatcher.free_slots) == (2, 0)
        (record,) = records_of(caplog, JobStuck)
        assert record.levelname == "CRITICAL"
        assert facts_of(record) == {"job": "stuck", "block": BLOCK, "slots_left": 1}
        await stage.end("b", success())
        await stage.end("c", success())
        assert stage.dispatcher.free_slots == 1
        assert (await stage.result_of("stuck"))["status"] == "success"


@pytest.mark.parametrize("early", [True, False])
async def test_a_slot_that_was_set_aside_is_used_again_when_the_process_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, early: bool
) -> None:
    """Also where that is before the job's result is durable."""
    caplog.set_level("INFO")
    async with scene(tmp_path) as stage:
        await stage.accept(job("stuck"), job("waits"))
        await until(lambda: "stuck" in stage.runner.running, "it runs")
        if early:
            stage.runner.gone["stuck"]()
        await stage.end("stuck", replace(success(), stuck=True))
        if not early:
            assert stage.runner.started == ["stuck"]
            stage.dispatcher.changed.clear()
            stage.runner.gone["stuck"]()
        await until(lambda: stage.runner.started == ["stuck", "waits"], "the next job runs")
        assert stage.dispatcher.changed.is_set()
        (record,) = records_of(caplog, JobUnstuck)
        assert facts_of(record) == {"job": "stuck", "block": BLOCK, "slots": 1}
        assert [event["slot"] for event in told(caplog, JobStarted)] == [0, 0]
        await stage.end("waits", success())
        assert stage.dispatcher.free_slots == 1


async def test_a_slot_that_is_set_aside_has_no_other_job_until_it_is_taken_up_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its number would be that of two jobs."""
    caplog.set_level("INFO")
    async with scene(tmp_path, slots=2) as stage:
        await stage.accept(*(job(name) for name in ("stuck", "b", "c", "d")))
        await stage.end("stuck", replace(success(), stuck=True))
        await stage.end("b", success())
        await until(lambda: "c" in stage.runner.running, "the next one runs")
        stage.runner.gone["stuck"]()
        await until(lambda: "d" in stage.runner.running, "the last one runs")
        slots = [(event["job"], event["slot"]) for event in told(caplog, JobStarted)]
        assert slots == [("stuck", 0), ("b", 1), ("c", 1), ("d", 0)]
        await stage.end("c", success())
        await stage.end("d", success())


async def test_where_every_slot_is_stuck_there_are_none_and_not_less(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("stuck"), job("waits"))
        await stage.end("stuck", replace(success(), stuck=True))
        assert (stage.dispatcher.busy, stage.dispatcher.free_slots) == (1, 0)


async def test_a_worker_that_ends_its_jobs_does_not_wait_for_a_slot_that_never_comes(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.accept(job("stuck"), job("waits"))
        await stage.end("stuck", replace(success(), stuck=True))
        stage.dispatcher.stop_all()
        await asyncio.wait_for(stage.dispatcher.wait_until_idle(), 30)
        assert stage.runner.started == ["stuck"]
        assert "shutting down" in (await stage.result_of("waits"))["result"]["message"]


async def test_the_worker_is_idle_when_nothing_runs_or_waits(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await asyncio.wait_for(stage.dispatcher.wait_until_idle(), 30)
        await stage.accept(job("a"), job("b"))
        idle = asyncio.ensure_future(stage.dispatcher.wait_until_idle())
        await stage.end("a", success())
        assert not idle.done()
        await stage.end("b", success())
        await asyncio.wait_for(idle, 30)


async def test_no_more_jobs_are_asked_for_than_could_get_a_child(tmp_path: Path) -> None:
    async with scene(tmp_path, slots=3) as stage:
        stage.runner.room = 0
        assert stage.dispatcher.free_slots == 0
        stage.runner.room = 2
        assert stage.dispatcher.free_slots == 2
        stage.runner.room = None
        assert stage.dispatcher.free_slots == 3


async def test_a_slot_whose_job_could_not_be_searched_is_set_aside_and_nothing_is_called_stuck(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with scene(tmp_path) as stage:
        await stage.accept(job("unsearched"), job("waits"))
        await until(lambda: "unsearched" in stage.runner.running, "it runs")
        finished = success()
        ending = replace(finished.ending, leftovers_unsearched=True)
        await stage.end("unsearched", replace(finished, ending=ending, stuck=True))
        assert stage.runner.started == ["unsearched"]
        stage.runner.gone["unsearched"]()
        await until(lambda: stage.runner.started == ["unsearched", "waits"], "the next job runs")
        assert records_of(caplog, JobStuck) == []
        assert len(records_of(caplog, JobUnstuck)) == 1
