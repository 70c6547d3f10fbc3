"""What is cleaned up after a job and at the end of the worker, and in which order."""

import asyncio
import os
from pathlib import Path

import pytest
from jobs_support import ENTRY, job, scene

from tests.patience import until


async def test_the_child_is_closed_after_its_job_and_its_directory_removed_last(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.run(job())
        names = [call if isinstance(call, str) else call[0] for call in stage.calls]
        assert names == ["spawn_child", "make", "reap", "close", "remove"]


async def test_the_space_of_a_directory_with_something_in_it_is_free_when_the_job_is_over(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        running = stage.begin(job())
        child = await stage.child()
        order, _ = await stage.order(child)
        Path(order.job_directory, "file").write_text("text")
        await stage.end(child)
        await running
        assert not os.path.exists(order.job_directory)


async def test_the_directory_of_a_user_of_the_job_s_own_is_taken_back_before_the_user_is_free(
    tmp_path: Path,
) -> None:
    """The user is given to another job when the child is closed."""
    async with scene(tmp_path) as stage:
        stage.launcher.user = 4711
        await stage.run(job())
        assert ("make", 4711) in stage.calls
        names = [call if isinstance(call, str) else call[0] for call in stage.calls]
        assert names.index("take back") < names.index("close") < names.index("remove")


async def test_a_directory_of_this_worker_s_own_user_is_not_taken_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.run(job())
        assert [call for call in stage.calls if call[0] == "take back"] == []
        assert ("make", None) in stage.calls


async def test_a_child_that_can_not_be_killed_keeps_its_descriptors_and_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.lifecycle.job.UNKILLABLE_SECONDS", 0.01)
    async with scene(tmp_path) as stage:
        stage.launcher.user = 4711
        running = stage.begin(job())
        child = await stage.child()
        child.obeys = False
        await stage.order(child)
        stage.runner.stop_all()
        concluded = await running
        assert concluded.stuck
        assert "close" not in stage.calls
        assert [call for call in stage.calls if call[0] == "take back"] == []


async def test_an_order_that_can_not_be_written_leaves_no_child_no_directory_and_no_trace(
    tmp_path: Path,
) -> None:
    """That is a bug of this worker, and must not cost it a process each time."""
    async with scene(tmp_path) as stage:
        with pytest.raises(TypeError):
            await stage.runner.run(job(parameters={"not JSON": object()}), ENTRY)
        assert "give up" in stage.calls
        assert stage.runner._running == {}
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")


async def test_a_bug_in_the_execution_leaves_no_child_no_directory_and_no_trace(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        running = stage.begin(job())
        child = await stage.child()
        await stage.order(child)
        child.reap = None  # type: ignore[assignment, method-assign]
        await stage.end(child)
        with pytest.raises(TypeError):
            await running
        assert "give up" in stage.calls
        assert stage.runner._running == {}
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")


async def test_the_next_child_is_not_waited_for_until_a_large_directory_is_removed(tmp_path: Path) -> None:
    async with scene(tmp_path, spares=1) as stage:
        child = await stage.child()
        running = stage.begin(job())
        await stage.order(child)
        removing = asyncio.Event()

        async def remove(path: str) -> None:
            removing.set()
            await until(lambda: stage.calls.count("spawn_child") == 2, "the next child is asked for")

        stage.runner._directories.remove = remove  # type: ignore[method-assign]
        await stage.end(child)
        await running
        assert removing.is_set()


async def test_at_the_end_everything_that_watches_is_closed(tmp_path: Path) -> None:
    async with scene(tmp_path, spares=1) as stage:
        await stage.child()
        await until(lambda: stage.runner._spares._ready, "the spare is ready")
        for name in ("_sampler", "_process_counter"):
            close = getattr(stage.runner, name).close

            async def closing(name: str = name, close: object = close) -> None:
                stage.calls.append(name)
                await close()  # type: ignore[operator]

            getattr(stage.runner, name).close = closing
        await stage.runner.close()
        assert stage.calls == [
            "spawn_child",
            "kill",
            "close",
            "_sampler",
            "_process_counter",
            "directories close",
        ]
