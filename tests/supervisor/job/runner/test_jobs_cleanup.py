"""What is cleaned up after a job and at the end of the worker, and in which order."""

import asyncio
import os
import threading
from pathlib import Path

import pytest
from jobs_support import ENTRY, Scene, job, scene

from supervisor.errors import LaunchError
from supervisor.verdict import ExitStatus
from tests.patience import PATIENCE_SECONDS, until


async def test_the_child_is_closed_after_its_job_and_its_directory_removed_last(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.run(job())
        await stage.runner.wait_until_tidy("job")
        names = [call if isinstance(call, str) else call[0] for call in stage.calls]
        assert names == ["spawn_child", "make", "reap", "close", "give back", "remove"]


async def test_the_space_of_a_directory_with_something_in_it_is_free_when_the_slot_is(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        running = stage.begin(job())
        child = await stage.child()
        order, _ = await stage.order(child)
        Path(order.job_directory, "file").write_text("text")
        await stage.end(child)
        await running
        await stage.runner.wait_until_tidy("job")
        assert not os.path.exists(order.job_directory)
        assert stage.runner._tidying._removing == {}


async def test_the_directory_of_a_user_of_the_job_s_own_is_taken_back_before_the_user_is_free(
    tmp_path: Path,
) -> None:
    """The user is given to another job when the child is closed."""
    async with scene(tmp_path) as stage:
        stage.launcher.user = 4711
        await stage.run(job())
        assert ("make", 4711) in stage.calls
        await until(lambda: "give back" in stage.calls, "the user is given back")
        await stage.runner.wait_until_tidy("job")
        names = [call if isinstance(call, str) else call[0] for call in stage.calls]
        assert names.index("take back") < names.index("close") < names.index("remove")
        assert names.count("give back") == 1


async def test_a_user_is_not_free_while_the_disk_does_not_close_its_directory(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.launcher.user = 4711
        may_end = threading.Event()
        stage.runner._directories._remover.submit(may_end.wait)
        try:
            assert (await stage.run(job())).verdict.success
            assert "close" in stage.calls
            assert "give back" not in stage.calls
        finally:
            may_end.set()
        await until(lambda: "give back" in stage.calls, "the user is given back")


async def test_a_directory_of_this_worker_s_own_user_is_not_taken_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.run(job())
        assert [call for call in stage.calls if call[0] == "take back"] == []
        assert ("make", None) in stage.calls


async def test_a_child_that_can_not_be_killed_keeps_its_descriptors_and_its_user_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.lifecycle.job.UNKILLABLE_SECONDS", 0.01)
    async with scene(tmp_path) as stage:
        stage.launcher.user = 4711
        gone = asyncio.Event()
        running = asyncio.ensure_future(stage.runner.run(job(), ENTRY, on_gone=gone.set))
        child = await stage.child()
        child.obeys = False
        await stage.order(child)
        stage.runner.stop_all()
        concluded = await running
        assert concluded.stuck
        assert "close" not in stage.calls
        assert [call for call in stage.calls if call[0] == "take back"] == []
        assert not gone.is_set()
        child.end(ExitStatus(signal_name="SIGKILL"))  # the disk is back
        await asyncio.wait_for(gone.wait(), PATIENCE_SECONDS)
        assert "close" in stage.calls
        assert [call for call in stage.calls if call[0] == "take back"]


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


async def test_a_result_waits_for_no_directory_and_the_slot_waits_no_longer_than_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal of one is under way, and does not end."""
    monkeypatch.setattr("supervisor.job.directories.REMOVAL_SECONDS", 0.05)
    async with scene(tmp_path) as stage:
        may_end = threading.Event()
        stage.runner._directories._remover.submit(may_end.wait)
        try:
            assert (await stage.run(job())).verdict.success
            assert list((tmp_path / "jobs").iterdir())
            await stage.runner.wait_until_tidy("job")
            await stage.runner.wait_until_tidy("a job that has left nothing")
        finally:
            may_end.set()
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")


async def test_the_next_child_and_the_removal_wait_until_the_result_is_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would take a processor, and the disk, from it. So would the closing of all that the child has held."""
    monkeypatch.setattr("supervisor.job.tidying.LATEST_SECONDS", 600)
    async with scene(tmp_path, spares=1) as stage:
        await stage.child()
        number = len(stage.launcher.children)
        running = stage.begin(job())
        child = stage.launcher.children[number - 1]
        await stage.order(child)
        await stage.end(child)
        await running
        assert [call for call in stage.calls if call[0] == "remove"] == []
        assert stage.calls.count("spawn_child") == number
        assert "close" not in stage.calls
        await stage.runner.wait_until_tidy("job")
        assert [call for call in stage.calls if call[0] == "remove"] != []
        assert stage.calls.count("spawn_child") == number + 1
        after = stage.calls[stage.calls.index("close") :]
        assert "spawn_child" in after, "whoever forks the next one may have to wait for the place of the last"


@pytest.mark.parametrize("by", ["time", "the end of the worker"])
async def test_who_never_says_that_a_result_is_on_its_way_has_the_directory_removed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr("supervisor.job.tidying.LATEST_SECONDS", 0.01 if by == "time" else 600)
    async with scene(tmp_path) as stage:
        await stage.run(job())
        if by == "time":
            await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")
    assert not list((tmp_path / "jobs").iterdir())


async def test_a_job_that_waits_for_a_child_waits_for_no_result_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.job.tidying.LATEST_SECONDS", 600)
    async with scene(tmp_path) as stage:
        await stage.run(job())
        assert (await stage.run(job(job_id="next"))).verdict.success


async def test_a_retry_of_a_job_that_was_not_tidied_up_leaves_neither_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.job.tidying.LATEST_SECONDS", 600)
    async with scene(tmp_path) as stage:
        await stage.run(job())
        await stage.run(job())
        await stage.runner.wait_until_tidy("job")
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "both directories are removed")


async def test_a_child_that_waits_has_its_directory_already(tmp_path: Path) -> None:
    async with scene(tmp_path, spares=1) as stage:
        directories = stage.runner._directories
        directories.makes_ahead = True
        child = await stage.child()
        await until(lambda: [made.done() for made in directories._ahead[None]] == [True], "it is made")
        directories._maker.submit = None  # type: ignore[assignment, method-assign]  # no thread is asked for it
        directories.makes_ahead = False
        running = stage.begin(job())
        order, _ = await stage.order(child)
        assert os.path.isdir(order.job_directory)
        await stage.end(child)
        assert (await running).verdict.success
        await stage.child(2)
        await until(lambda: stage.runner._spares._ready, "the next spare is ready")


async def test_at_the_end_everything_that_watches_is_closed(tmp_path: Path) -> None:
    async with scene(tmp_path, spares=1) as stage:
        await stage.child()
        await until(lambda: stage.runner._spares._ready, "the spare is ready")
        for name in ("sampler", "process_counter", "cpu"):
            close = getattr(stage.runner._watchers, name).close

            async def closing(name: str = name, close: object = close) -> None:
                stage.calls.append(name)
                await close()  # type: ignore[operator]

            getattr(stage.runner._watchers, name).close = closing
        await stage.runner.close()
        assert stage.calls == [
            "spawn_child",
            "give up",
            "close",
            "give back",
            "sampler",
            "process_counter",
            "cpu",
            "directories close",
        ]


async def test_before_the_first_job_strays_are_looked_for_and_from_then_on_what_is_short_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, looks, told = Scene(tmp_path / "jobs", 1), list[str](), list[str | None]()
    monkeypatch.setattr(made.runner._sweeper, "look_for_strays", lambda: looks.append("looked"))
    made.runner.tell_capacity(told.append)
    made.launcher.error = LaunchError("no memory")
    await made.runner.prepare()
    try:
        assert looks == ["looked"]
        await until(lambda: told, "the shortage is told")
        assert "no memory" in str(told[0])
    finally:
        await made.runner.close()
