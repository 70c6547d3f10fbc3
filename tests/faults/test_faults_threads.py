"""Threads are started with the worker: all of them or none of the worker, and none later."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from supervisor.commands.shared.common import run_to_exit_code
from supervisor.errors import StartRefusedError
from supervisor.job.directories import JobDirectories
from supervisor.process import threads as threads_module
from supervisor.process.cgroups.detection import Detected
from supervisor.process.cgroups.worker import Cgroups
from supervisor.process.threads import end_pool, started_pool, unended_threads
from tests.patience import PATIENCE_SECONDS, until


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have threads be refused once so many more are started."""
    real = threading.Thread.start

    def from_now_on(granted: int) -> None:
        left = [None] * granted

        def start(thread: threading.Thread) -> None:
            if not left:
                raise RuntimeError("can't start new thread")
            left.pop()
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

    return from_now_on


def test_a_pool_that_was_started_does_as_much_at_once_as_it_has_threads_and_starts_none(
    refuse: Callable[[int], None],
) -> None:
    pool = started_pool(3, "test")
    refuse(0)
    for _ in range(3):  # also when its threads have become idle
        meeting = threading.Barrier(3)
        for met in [pool.submit(meeting.wait, 20) for _ in range(3)]:
            met.result(20)
    pool.shutdown()


@pytest.mark.parametrize("granted", [0, 1, 2])
async def test_a_pool_that_can_not_have_all_its_threads_has_none_and_says_what_to_do(
    refuse: Callable[[int], None], granted: int
) -> None:
    before = threading.active_count()
    refuse(granted)
    with pytest.raises(StartRefusedError, match="Raise the limit of processes"):
        started_pool(3, "test")
    await until(lambda: threading.active_count() == before, "its threads have ended")


async def test_directories_are_made_and_removed_where_no_thread_can_be_started_any_more(
    refuse: Callable[[int], None], tmp_path: Path
) -> None:
    directories = JobDirectories(tmp_path / "jobs")
    refuse(0)
    await directories.prepare()
    path = await directories.take()
    Path(path, "file").touch()
    await directories.remove(path)
    assert not Path(path).exists()
    await directories.close()


async def test_cgroups_have_their_thread_from_the_beginning(refuse: Callable[[int], None]) -> None:
    cgroups = Cgroups(Detected())
    refuse(0)
    assert cgroups._thread.submit(time.monotonic).result(20)
    cgroups.close()


@pytest.mark.parametrize("make", [lambda path: JobDirectories(path), lambda _: Cgroups(Detected())])
def test_who_needs_a_thread_says_at_the_start_that_there_is_none(
    refuse: Callable[[int], None], tmp_path: Path, make: Callable[[Path], object]
) -> None:
    refuse(0)
    with pytest.raises(StartRefusedError, match="can't be started"):
        make(tmp_path)


def test_where_asyncio_can_not_start_the_thread_that_ends_its_threads_the_exit_code_is_the_work_s(
    refuse: Callable[[int], None],
) -> None:
    async def work() -> int:
        asyncio.get_running_loop().set_default_executor(started_pool(1, "test"))
        refuse(0)
        return 7

    assert run_to_exit_code("test", work) == 7


def test_a_loop_ends_the_threads_that_it_was_given_and_starts_none_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Without memory, a thread dies in its first steps, and who has started it would wait for ever.
    def start(thread: threading.Thread) -> None:
        raise AssertionError(f"{thread.name} was started")

    async def work() -> int:
        asyncio.get_running_loop().set_default_executor(started_pool(2, "given"))
        assert await asyncio.to_thread(threading.current_thread) is not threading.main_thread()
        monkeypatch.setattr(threading.Thread, "start", start)
        return 7

    assert run_to_exit_code("test", work) == 7
    assert not [name for name in unended_threads() if name.startswith("given")]


@pytest.mark.parametrize("error", [RuntimeError("a mistake of ours"), RuntimeError("can't start new thread")])
def test_an_error_of_the_work_itself_is_not_taken_for_that(error: Exception) -> None:
    async def work() -> int:
        raise error

    coroutine: Callable[[], Coroutine[Any, Any, int]] = work
    with pytest.raises(RuntimeError, match=str(error)):
        run_to_exit_code("test", coroutine)


async def test_a_thread_that_a_disk_holds_up_is_named_and_not_waited_for() -> None:
    def left() -> list[str]:
        return [name for name in unended_threads() if name.startswith("held up")]

    disk, is_held = threading.Event(), threading.Event()

    def hold() -> None:
        is_held.set()
        disk.wait()

    pool = started_pool(2, "held up")
    pool.submit(hold)
    await until(is_held.is_set, "it has begun: what has not is cancelled")
    await end_pool(pool, 0.05)
    await until(lambda: len(left()) == 1, "the other one has ended")
    disk.set()
    await until(lambda: not left(), "it has ended")


async def test_a_pool_s_threads_that_end_in_time_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def left() -> list[str]:
        """Those of this pool: earlier tests may have left others, as a worker's process has none."""
        return [name for name in unended_threads() if name.startswith("ends soon")]

    monkeypatch.setattr(threads_module, "unended_threads", left)
    pool = started_pool(1, "ends soon")
    is_held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        is_held.set()
        go_on.wait()

    pool.submit(hold)
    await until(is_held.is_set, "it has begun: what has not is cancelled")
    ending = asyncio.ensure_future(end_pool(pool, PATIENCE_SECONDS))
    try:
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not ending.done()
    finally:
        go_on.set()
    await ending
    assert not left()
