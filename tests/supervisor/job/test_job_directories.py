"""Directories of jobs on a disk that is full, hangs, or was taken away: the loop never waits, and jobs get theirs."""

import asyncio
import errno
import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from supervisor.job import directories as module
from supervisor.job.directories import JobDirectories
from supervisor.job.directory_place import DirectoryPlace
from supervisor.log.events.surroundings import (
    JobDirectoriesBack,
    JobDirectoriesElsewhere,
    JobDirectoriesMadeAnew,
)
from supervisor.process.disk_thread import DiskHangsError
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until

LIMIT_SECONDS = 0.1


class Disk:
    """Stands in for the calls that go to the state directory's disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, jobs: Path) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.error: OSError | None = None
        real = os.mkdir

        def mkdir(path: str | os.PathLike[str], *arguments: int) -> None:
            if os.fspath(path).startswith(f"{jobs}/"):
                self.answers.wait()
                if self.error is not None:
                    raise self.error
            real(path, *arguments)

        monkeypatch.setattr("supervisor.job.directory_place.os.mkdir", mkdir)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "MEMORY", tmp_path / "memory")
    return tmp_path / "memory"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(monkeypatch, tmp_path / "state" / "jobs")
    yield made
    made.answers.set()


@pytest.fixture
async def directories(tmp_path: Path, memory: Path, disk: Disk) -> AsyncIterator[JobDirectories]:
    made = JobDirectories(tmp_path / "state" / "jobs", spares=2)
    made._maker.limit_seconds = LIMIT_SECONDS
    await made.prepare()
    yield made
    disk.answers.set()
    await made.close()
    assert not list((tmp_path / "state" / "jobs").iterdir())
    assert not list(memory.glob("*"))


async def longest_turn(work: "asyncio.Future[str]") -> float:
    """Return for how long the loop did nothing else at most while `work` was awaited."""
    longest, last = 0.0, time.monotonic()
    while not work.done():
        await asyncio.sleep(0)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return longest


async def test_a_disk_that_hangs_holds_up_neither_the_loop_nor_a_job_and_later_is_used_again(
    directories: JobDirectories, disk: Disk, memory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk.answers.clear()
    caplog.set_level(logging.INFO)
    first = asyncio.ensure_future(directories.take())
    await longest_turn(first)  # would not come back if the loop itself made it
    assert first.result().startswith(f"{memory}/")
    assert told(caplog, JobDirectoriesElsewhere) == [
        {
            "path": str(tmp_path / "state" / "jobs"),
            "place": os.path.dirname(first.result()),
            "reason": f"the disk has not answered within {LIMIT_SECONDS:g} s",
        }
    ]
    # Known to hang: nobody waits for it any more, and nothing is asked of it.
    before = directories._maker._calls.qsize()
    assert (await directories.take()).startswith(f"{memory}/")
    assert directories._maker._calls.qsize() == before
    disk.answers.set()
    await until(lambda: not directories._maker.hangs, "the call has come back")
    assert (await directories.take()).startswith(f"{tmp_path / 'state' / 'jobs'}/")
    assert len(told(caplog, JobDirectoriesBack)) == 1
    for path in [*memory.glob("*/*"), *(tmp_path / "state" / "jobs").iterdir()]:
        await directories.remove(str(path))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
async def test_a_disk_that_takes_nothing_gives_jobs_their_directories_in_memory(
    directories: JobDirectories, disk: Disk, memory: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    disk.error = OSError(number, os.strerror(number))
    path = await directories.take()
    assert Path(path).parent.parent == memory
    assert stat.S_IMODE(os.stat(path).st_mode) == stat.S_IMODE(os.stat(Path(path).parent).st_mode) == 0o700
    assert [event["reason"] for event in told(caplog, JobDirectoriesElsewhere)] == [os.strerror(number)]
    await directories.remove(path)
    assert not os.path.exists(path)


async def test_where_there_is_no_place_at_all_that_is_said_within_the_limit(
    directories: JobDirectories, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.error = OSError(errno.ENOSPC, "full")
    monkeypatch.setattr(
        directories._elsewhere, "make", lambda owner: (disk.answers.clear(), disk.answers.wait())
    )
    directories._memory.limit_seconds = LIMIT_SECONDS
    with pytest.raises(DiskHangsError):
        await directories.take()
    disk.answers.set()


async def test_a_state_directory_that_was_removed_is_made_anew_for_this_user_alone(
    directories: JobDirectories, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directories.make_ahead()
    await until(lambda: directories._ahead[None][0].done(), "one is made ahead")
    shutil.rmtree(tmp_path / "state")
    await directories._maker.call(directories._look)  # what its thread does when it is idle
    path = await directories.take()
    assert os.path.isdir(path), "what was made ahead is gone, and is not given out"
    for made in (tmp_path / "state", tmp_path / "state" / "jobs", Path(path)):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert told(caplog, JobDirectoriesMadeAnew) == [{"path": str(tmp_path / "state" / "jobs")}]
    await directories.remove(path)


async def test_not_more_directories_are_made_ahead_than_children_wait(
    directories: JobDirectories, tmp_path: Path
) -> None:
    for _ in range(5):
        directories.make_ahead()
    await directories._maker.call(int)
    assert len(list((tmp_path / "state" / "jobs").iterdir())) == 2


async def test_much_in_one_directory_does_not_delay_the_removal_of_another(
    directories: JobDirectories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TURN_SECONDS", 0.0)
    large, small = await directories.take(), await directories.take()
    for number in range(300):
        Path(large, str(number)).touch()
    ended: list[str] = []
    both_wait = threading.Event()
    directories._remover.submit(both_wait.wait, PATIENCE_SECONDS)
    for path in (large, small):
        directories.remove(path).add_done_callback(lambda _, path=path: ended.append(path))
    both_wait.set()
    await until(lambda: len(ended) == 2, "both are removed")
    assert ended == [small, large]
    assert not os.path.exists(large)


async def test_a_user_is_given_back_when_its_directory_is_closed_to_it(directories: JobDirectories) -> None:
    path = await directories.take()
    given_back = asyncio.Event()
    directories.take_back(path, given_back.set)
    assert not given_back.is_set()
    await given_back.wait()
    await directories.remove(path)


async def test_what_earlier_runs_have_left_is_removed_on_the_disk_and_in_memory(
    tmp_path: Path, memory: Path
) -> None:
    jobs = tmp_path / "state" / "jobs"
    (jobs / "1-left" / "inner").mkdir(parents=True)
    (jobs / "file").touch()
    (elsewhere := next(module._elsewhere(jobs))).mkdir(parents=True)
    made = JobDirectories(jobs)
    await made.prepare()
    await until(lambda: not list(jobs.iterdir()) and not elsewhere.exists(), "it is removed")
    await made.close()


def test_a_directory_that_can_not_be_given_to_its_user_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOMEM, "no")

    monkeypatch.setattr("supervisor.job.directory_place.os.chown", refused)
    place = DirectoryPlace(lambda: (tmp_path / "jobs",), lambda _: None)
    with pytest.raises(OSError, match="no"):
        place.make(4711)
    assert not list((tmp_path / "jobs").iterdir())


@pytest.mark.parametrize("what", ["file", "link"])
def test_a_place_in_memory_that_somebody_else_has_made_is_not_used(tmp_path: Path, what: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    if what == "file":
        first.touch()
    else:
        first.symlink_to(tmp_path)
    place = DirectoryPlace(lambda: (first, second), lambda _: None)
    assert Path(place.make(None)).parent == second
