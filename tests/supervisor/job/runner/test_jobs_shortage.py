"""A job whose child can't be watched, or gets no directory: it may be started again, and nothing of it is left."""

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from jobs_support import DONE, ENTRY, job, scene

from supervisor.verdict import Cause
from tests.patience import until


def refuse(*_: object) -> None:
    raise OSError(errno.EMFILE, "x")


async def test_a_job_whose_child_can_not_be_watched_is_not_run_and_may_be_started_again(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, spares=1) as stage:
        child = await stage.child()
        watch, stage.runner._watchers.sampler.watch = stage.runner._watchers.sampler.watch, refuse  # type: ignore[method-assign]
        verdict = (await stage.runner.run(job(), ENTRY)).verdict
        assert (verdict.success, verdict.cause, verdict.retryable) == (False, Cause.START_FAILED, True)
        assert (
            "can't be watched: Too many open files (EMFILE). Raise the limit of open files" in verdict.message
        )
        assert child.exited.done()
        assert stage.runner._running == {}
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")
        await until(lambda: stage.calls.count("spawn_child") == 2, "there is another spare")
        stage.runner._watchers.sampler.watch = watch  # type: ignore[method-assign]
        running = stage.begin(job())
        other = await stage.child(2)
        await stage.order(other)
        await stage.end(other, DONE, json.dumps({}).encode())
        assert (await running).verdict.success
        await until(lambda: len(stage.launcher.children) == 3, "there is another spare")


async def test_after_a_job_without_a_directory_there_is_another_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path, spares=1) as stage:
        await stage.child()
        monkeypatch.setattr(stage.runner._directories, "take", refuse)
        assert (await stage.runner.run(job(), ENTRY)).verdict.cause == Cause.START_FAILED
        await until(lambda: len(stage.launcher.children) == 2, "there is another spare")


async def test_after_a_bug_in_the_execution_there_is_another_spare_and_no_directory(tmp_path: Path) -> None:
    async with scene(tmp_path, spares=1) as stage:
        await stage.child()
        unfit: dict[str, Any] = {"not JSON": object()}
        with pytest.raises(TypeError):
            await stage.runner.run(job(parameters=unfit), ENTRY)
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")
        await until(lambda: len(stage.launcher.children) == 2, "there is another spare")
