"""A job that waited so long for a slot that the engine would give it up before its end is not started any more."""

from pathlib import Path

import pytest
from dispatch_support import SETTINGS, Scene, job, scene, success

from tests.patience import until

TIMEOUT = 100.0
LONGEST_WAIT = TIMEOUT - SETTINGS.max_job_seconds - SETTINGS.grace_seconds


async def wait_for_the_slot(stage: Scene, seconds: float) -> None:
    """Have job `second` wait that long behind job `first`."""
    await stage.accept(job("first"), job("second"))
    await until(lambda: stage.runner.running, "the first one runs")
    stage.now += seconds
    await stage.end("first", success())


async def test_a_job_that_can_just_end_in_time_is_run(tmp_path: Path) -> None:
    async with scene(tmp_path, engine_job_timeout_seconds=TIMEOUT) as stage:
        await wait_for_the_slot(stage, LONGEST_WAIT)
        await stage.end("second", success())
        assert (await stage.result_of("second"))["status"] == "success"


async def test_a_job_whose_grace_would_end_too_late_is_not_run(tmp_path: Path) -> None:
    async with scene(tmp_path, engine_job_timeout_seconds=TIMEOUT) as stage:
        await wait_for_the_slot(stage, LONGEST_WAIT + 0.5)
        result = await stage.result_of("second")
        assert result["status"] == "failed"
        assert "Not run: it waited 86 s for a slot" in result["result"]["message"]
        assert stage.runner.started == ["first"]


async def test_a_job_that_was_not_run_for_want_of_a_slot_may_be_started_again(tmp_path: Path) -> None:
    async with scene(tmp_path, engine_job_timeout_seconds=TIMEOUT) as stage:
        await wait_for_the_slot(stage, TIMEOUT)
        assert (await stage.result_of("second"))["result"]["retryable"] is True


async def test_a_job_that_came_too_late_gives_its_slot_to_the_next_one(tmp_path: Path) -> None:
    async with scene(tmp_path, engine_job_timeout_seconds=TIMEOUT) as stage:
        await wait_for_the_slot(stage, TIMEOUT)
        await stage.result_of("second")
        await stage.accept(job("third"))
        await stage.end("third", success())
        assert stage.runner.started == ["first", "third"]


async def test_the_wait_of_each_job_begins_with_its_own_claim(tmp_path: Path) -> None:
    async with scene(tmp_path, engine_job_timeout_seconds=TIMEOUT) as stage:
        await stage.accept(job("first"))
        await until(lambda: stage.runner.running, "it runs")
        stage.now += 2 * TIMEOUT
        await stage.accept(job("second"))
        await stage.end("first", success())
        await stage.end("second", success())
        assert (await stage.result_of("second"))["status"] == "success"


@pytest.mark.parametrize(("arrival_seconds", "is_run"), [(LONGEST_WAIT - 1, True), (LONGEST_WAIT + 1, False)])
async def test_how_long_a_job_took_to_arrive_counts_too(
    tmp_path: Path, arrival_seconds: float, is_run: bool
) -> None:
    async with scene(tmp_path, engine_job_timeout_seconds=TIMEOUT) as stage:
        await stage.accept(job("late"), arrival_seconds=arrival_seconds)
        if is_run:
            await stage.end("late", success())
        result = await stage.result_of("late")
        assert (result["status"] == "success") is is_run
        assert ("it took 86 s to arrive, and it waited 0 s for a slot" in str(result)) is not is_run


async def test_a_job_that_took_long_to_arrive_waits_for_a_slot_for_less_time(tmp_path: Path) -> None:
    async with scene(tmp_path, engine_job_timeout_seconds=TIMEOUT) as stage:
        await stage.accept(job("first"), job("second"), arrival_seconds=50.0)
        await until(lambda: stage.runner.running, "the first one runs")
        stage.now += LONGEST_WAIT - 49.0
        await stage.end("first", success())
        assert (await stage.result_of("second"))["status"] == "failed"
