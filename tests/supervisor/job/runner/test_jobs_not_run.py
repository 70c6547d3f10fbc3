"""Jobs that are not run: why, whether they may be started again, and what becomes of a child that was taken."""

from pathlib import Path
from typing import NoReturn

import pytest
from jobs_support import ENTRY, job, scene

from supervisor.errors import LaunchError
from supervisor.verdict import Cause
from tests.patience import until

PASSWORD = "Trellis-Wagon-1842"


async def test_a_job_for_which_no_child_could_be_started_may_be_started_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.launcher.may_start.clear()
        stage.runner.start_seconds = 0.01
        concluded = await stage.runner.run(job(), ENTRY)
        verdict = concluded.verdict
        assert (verdict.success, verdict.cause, verdict.retryable) == (False, Cause.START_FAILED, True)
        assert not concluded.stuck
        assert verdict.message.startswith("Not run: No child could be started within 0.01 s")
        assert not verdict.keeps_outcome


async def test_what_a_child_said_that_did_not_start_is_told_and_masked(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:

        async def take(timeout_seconds: float) -> None:
            raise LaunchError("It broke.", evidence=f"with {PASSWORD}\n\n")

        stage.runner._spares.take = take  # type: ignore[assignment, method-assign]
        told = job(parameters={"password": PASSWORD})
        verdict = (await stage.runner.run(told, ENTRY)).verdict
        assert verdict.message == "Not run: It broke.\nLast output:\nwith ***"


async def test_a_worker_that_stops_runs_no_more_and_takes_no_child(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.runner.stop_all()
        verdict = (await stage.runner.run(job(), ENTRY)).verdict
        assert (verdict.cause, verdict.retryable) == (Cause.WORKER_STOPPING, True)
        assert verdict.message == "Not run: this worker is shutting down."
        assert stage.calls == []


async def test_a_child_that_comes_when_the_worker_stops_is_given_up_without_an_order(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.launcher.may_start.clear()
        running = stage.begin(job())
        await until(lambda: "spawn_child" in stage.calls, "a child is on its way")
        stage.runner.stop_all()
        stage.launcher.may_start.set()
        verdict = (await running).verdict
        assert (verdict.cause, verdict.retryable) == (Cause.WORKER_STOPPING, True)
        assert stage.calls == ["spawn_child", "give up", "close", "give back"]


async def test_a_job_that_is_cancelled_while_its_child_is_on_its_way_is_not_begun(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.launcher.may_start.clear()
        running = stage.begin(job())
        await until(lambda: "spawn_child" in stage.calls, "a child is on its way")
        stage.runner.cancel(job().job_id)
        stage.launcher.may_start.set()
        verdict = (await running).verdict
        assert (verdict.cause, verdict.retryable) == (Cause.CANCELLED, False)
        assert stage.calls == ["spawn_child", "give up", "close", "give back"]


async def test_a_job_that_comes_again_after_it_was_cancelled_is_run(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.runner.cancel(job().job_id)
        assert (await stage.runner.run(job(), ENTRY)).verdict.cause is Cause.CANCELLED
        stage.runner.forget(job().job_id)
        await stage.run(job())


async def test_without_a_directory_the_child_is_given_up_and_the_job_may_be_started_again(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:

        async def take(owner: int | None) -> str:
            raise OSError(28, "No space left on device")

        stage.runner._directories.take = take  # type: ignore[assignment, method-assign]
        verdict = (await stage.runner.run(job(), ENTRY)).verdict
        assert (verdict.cause, verdict.retryable) == (Cause.START_FAILED, True)
        assert "its directory can't be made" in verdict.message
        assert stage.calls[:2] == ["spawn_child", "give up"]


async def test_a_child_whose_start_nobody_could_be_told_of_is_given_up(tmp_path: Path) -> None:
    """It has its order by then, and would wait for ever."""

    def fail(_: int) -> None:
        raise RuntimeError("a bug")

    async with scene(tmp_path) as stage:
        with pytest.raises(RuntimeError, match="a bug"):
            await stage.runner.run(job(), ENTRY, on_start=fail)
        assert stage.calls[:3] == ["spawn_child", ("make", None), "give up"]


async def test_a_child_whose_job_met_a_bug_before_its_order_is_given_up(tmp_path: Path) -> None:
    def fail() -> NoReturn:
        raise RuntimeError("a bug")

    async with scene(tmp_path) as stage:
        with pytest.raises(RuntimeError, match="a bug"):
            await stage.runner.run(job(), ENTRY, offered=fail)
        assert stage.calls[:2] == ["spawn_child", "give up"]
