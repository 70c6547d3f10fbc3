"""Ended jobs on the disk: found again after a restart, never more than may be, and nobody's trouble where it fails."""

import asyncio
import errno
import os
import threading
from pathlib import Path

import pytest
from ended_jobs_support import ended, files_in, kept_in, log_with, messages, raising, whole_log

from supervisor.journal.ended_jobs import files, store
from supervisor.journal.ended_jobs.budget import WAITING_BYTES
from supervisor.journal.ended_jobs.file_format import DamagedFileError
from supervisor.journal.ended_jobs.store import EndedJobs
from supervisor.log.events.ended_jobs import EndedJobsDamaged, EndedJobsKeptAgain, EndedJobsNotKept
from supervisor.process.disk_thread import DiskHangsError
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until


async def test_a_job_can_be_read_as_soon_as_it_has_ended_and_after_a_restart(tmp_path: Path) -> None:
    job = ended("a", message="done", result_bytes=9)
    async with kept_in(tmp_path) as jobs:
        jobs.keep(job, log_with("one", "two"), b'{"a": 1}')
        assert jobs.find("a")
        assert not jobs.find("b")
        assert await jobs.read("b") is None
        assert messages(await whole_log(jobs, "a")) == ["one", "two"]
    async with kept_in(tmp_path) as jobs:
        await until(lambda: jobs.find("a"), "the start has found it")
        opened = await jobs.read("a")
        assert opened is not None
        assert opened.job == job
        assert await jobs.result(opened) == b'{"a": 1}'
        jobs.close_file(opened)
        assert messages(await whole_log(jobs, "a")) == ["one", "two"]


async def test_the_files_are_for_the_workers_user_alone(tmp_path: Path) -> None:
    old_umask = os.umask(0)
    try:
        async with kept_in(tmp_path) as jobs:
            jobs.keep(ended("a"))
    finally:
        os.umask(old_umask)
    (file,) = files_in(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


async def test_the_oldest_goes_when_there_are_too_many_also_when_fewer_are_wanted_later(
    tmp_path: Path,
) -> None:
    async with kept_in(tmp_path, most_jobs=3) as jobs:
        for name in "abcde":
            jobs.keep(ended(name))
            assert await whole_log(jobs, name) == b""
        assert [job.job_id for job in jobs.latest(10)] == ["e", "d", "c"]
        assert await jobs.read("a") is None
        assert len(files_in(tmp_path)) == 3
    async with kept_in(tmp_path, most_jobs=1) as jobs:
        await until(lambda: jobs.find("e"), "the start has found it")
        assert [job.job_id for job in jobs.latest(10)] == ["e"]
    assert len(files_in(tmp_path)) == 1


async def test_all_together_take_no_more_than_they_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.EndedJobFiles.__init__, "__defaults__", (10_000,))
    async with kept_in(tmp_path) as jobs:
        for name in "abcdef":
            jobs.keep(ended(name), log_with("x" * 3000))
            await whole_log(jobs, name)
    assert sum(file.stat().st_size for file in files_in(tmp_path)) <= 10_000
    assert len(files_in(tmp_path)) == 2


async def test_a_clock_that_jumps_back_an_hour_changes_neither_the_order_nor_what_goes(
    tmp_path: Path,
) -> None:
    async with kept_in(tmp_path, most_jobs=2) as jobs:
        for name, at in (("a", 8000.0), ("b", 8001.0), ("c", 4400.0)):
            jobs.keep(ended(name, started_at=8000.0, ended_at=at, seconds=1.0))
            await whole_log(jobs, name)
        assert [job.job_id for job in jobs.latest(10)] == ["c", "b"]
    async with kept_in(tmp_path, most_jobs=2) as jobs:
        await until(lambda: jobs.find("c"), "the start has found it")
        assert [(job.job_id, job.seconds) for job in jobs.latest(10)] == [("c", 1.0), ("b", 1.0)]


async def test_of_a_job_that_was_tried_again_the_last_end_is_shown(tmp_path: Path) -> None:
    async with kept_in(tmp_path, most_jobs=3) as jobs:
        for cause in ("crashed", "completed"):
            jobs.keep(ended("a", cause=cause))
        opened = await jobs.read("a")
        assert opened is not None
        assert opened.job.cause == "completed"
        jobs.close_file(opened)
        for name in "bc":  # the first one goes
            jobs.keep(ended(name))
            await whole_log(jobs, name)
        assert jobs.find("a")


def spoil(file: Path, how: str) -> None:
    content = file.read_bytes()
    if how == "cut":
        file.write_bytes(content[:-3])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "other":
        file.write_bytes(b'{"format": 99}\n')
    else:
        file.unlink()
        os.mkfifo(file)


async def test_files_that_are_damaged_are_passed_over_and_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = ("cut", "empty", "other", "fifo")
    async with kept_in(tmp_path) as jobs:
        for name in (*spoilt, "good"):
            jobs.keep(ended(name), log_with("one"))
    paths = files_in(tmp_path)
    for path, how in zip(paths, spoilt, strict=False):
        spoil(path, how)
    async with kept_in(tmp_path) as jobs:
        await until(lambda: jobs.find("good"), "the start has found what is whole")
        assert [job.job_id for job in jobs.latest(10)] == ["good"]
        jobs.keep(ended("new"))
        assert await whole_log(jobs, "new") == b""
    (event,) = told(caplog, EndedJobsDamaged)
    assert (event["jobs"], event["names"]) == (4, ", ".join(path.name for path in paths[:4]))


async def test_a_log_that_the_disk_has_changed_is_not_shown(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as jobs:
        jobs.keep(ended("a"), log_with("one"))
        await whole_log(jobs, "a")
        (file,) = files_in(tmp_path)
        file.write_bytes(file.read_bytes().replace(b"one", b"two"))
        with pytest.raises(DamagedFileError):
            await jobs.read("a")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
async def test_what_a_disk_refuses_is_dropped_counted_and_told_once_and_its_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    async with kept_in(tmp_path) as jobs:
        with monkeypatch.context() as broken:
            broken.setattr(files, "_write_all", raising(OSError(number, os.strerror(number))))
            for name in "abc":
                jobs.keep(ended(name), log_with("one"))
                assert await jobs.read(name) is None
        assert files_in(tmp_path) == [], "nothing half written takes the space of others"
        assert jobs.dropped == 3
        (event,) = told(caplog, EndedJobsNotKept)
        assert (event["jobs"], event["reason"]) == (1, os.strerror(number))
        jobs.keep(ended("d"), log_with("one"))
        assert messages(await whole_log(jobs, "d")) == ["one"]
        (event,) = told(caplog, EndedJobsKeptAgain)
        assert event["jobs"] == 3
        assert jobs.dropped == 0


async def test_that_the_disk_takes_jobs_again_is_known_before_the_next_one_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`status` warned of jobs that could not be kept until another one ended, which may take days."""
    tried: list[int] = []

    def full(descriptor: int, data: bytes) -> None:
        tried.append(len(data))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store, "AGAIN_SECONDS", 0.01)
    async with kept_in(tmp_path) as jobs:
        with monkeypatch.context() as broken:
            broken.setattr(files, "_write_all", full)
            jobs.keep(ended("a"), log_with("x" * 5000))
            assert await jobs.read("a") is None
            seen = len(tried)
            await until(lambda: len(tried) > seen + 1, "the disk is tried again, and again")
            assert min(tried[seen:]) > 5000, "with as much as it has refused"
            assert jobs.problem is not None
        await until(lambda: jobs.problem is None, "the disk takes jobs again")
        assert files_in(tmp_path) == []
    (event,) = told(caplog, EndedJobsKeptAgain)
    assert event["jobs"] == 1
    assert len(told(caplog, EndedJobsNotKept)) == 1


async def test_a_directory_that_can_not_be_made_at_the_start_is_made_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ended_jobs").write_text("in the way")
    async with kept_in(tmp_path) as jobs:
        jobs.keep(ended("a"))
        assert await jobs.read("a") is None
        assert len(told(caplog, EndedJobsNotKept)) == 1
        (tmp_path / "ended_jobs").unlink()
        jobs.keep(ended("b"))
        assert await whole_log(jobs, "b") == b""
    assert len(told(caplog, EndedJobsKeptAgain)) == 1


async def test_earlier_jobs_that_can_not_be_read_at_the_start_are_found_later_without_another_job_s_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with kept_in(tmp_path) as jobs:
        jobs.keep(ended("a"))
        await whole_log(jobs, "a")
    monkeypatch.setattr(store, "AGAIN_SECONDS", 0.01)
    with monkeypatch.context() as disk:
        disk.setattr(files.EndedJobFiles, "open", raising(OSError(errno.EIO, "Input/output error")))
        jobs = EndedJobs(tmp_path / "ended_jobs", 1000)
        jobs.begin()
        await until(lambda: jobs.problem is not None, "it is known that earlier jobs are not")
        assert jobs.problem is not None
        assert jobs.problem.endswith("Input/output error")
    await until(lambda: jobs.find("a"), "the job is found once the disk can be read")
    assert jobs.problem is None
    await jobs.close()
    assert len(told(caplog, EndedJobsNotKept)) == len(told(caplog, EndedJobsKeptAgain)) == 1


async def test_a_directory_that_somebody_has_removed_is_made_anew(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as jobs:
        jobs.keep(ended("a"))
        await whole_log(jobs, "a")
        files_in(tmp_path)[0].unlink()
        (tmp_path / "ended_jobs").rmdir()
        assert await jobs.read("a") is None
        jobs.keep(ended("b"))
        assert await whole_log(jobs, "b") == b""


class HungDisk:
    """A disk whose writes do not come back before `release`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.release = threading.Event()
        write = files._write_all

        def hang(descriptor: int, data: bytes) -> None:
            self.calls += 1
            self.release.wait()
            write(descriptor, data)

        monkeypatch.setattr(files, "_write_all", hang)


async def test_while_the_disk_hangs_nobody_waits_what_comes_is_dropped_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = HungDisk(monkeypatch)
    async with kept_in(tmp_path) as jobs:
        try:
            jobs._disk.limit_seconds = 0.05
            jobs.keep(ended("first"), log_with("x" * 2**20))
            await until(lambda: disk.calls > 0 and jobs._disk.hangs, "the disk hangs")
            for number in range(500):  # who waited for the disk here would wait for ever
                jobs.keep(ended(f"j{number}"), log_with("one"))
            assert jobs.dropped == 500
            with pytest.raises(DiskHangsError):
                await jobs.read("first")
            (event,) = told(caplog, EndedJobsNotKept)
            assert "has not answered" in event["reason"]
        finally:
            disk.release.set()
        await until(lambda: not jobs._disk.hangs, "the disk is back")
        jobs._disk.limit_seconds = PATIENCE_SECONDS  # from now on, it is only as slow as this machine
        assert await jobs.read("first") is not None, "it was written when the disk came back"
        jobs.keep(ended("last"))
        await whole_log(jobs, "last")
        (event,) = told(caplog, EndedJobsKeptAgain)
        assert event["jobs"] == 500


async def test_what_waits_for_a_slow_disk_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = HungDisk(monkeypatch)
    log = log_with("x" * 700_000)
    async with kept_in(tmp_path) as jobs:
        try:
            jobs._disk.limit_seconds = 1000
            jobs.keep(ended("first"), log)
            jobs.keep(ended("second"), log)
            await until(lambda: disk.calls > 0, "it writes")
            for number in range(100):
                jobs.keep(ended(f"j{number}"), log)
            assert jobs._waiting_bytes <= WAITING_BYTES
            assert jobs.dropped > 50
        finally:
            disk.release.set()
        await whole_log(jobs, "first")
    assert len(told(caplog, EndedJobsNotKept)) == 1


async def test_a_worker_that_ends_while_the_disk_hangs_does_not_wait_and_tells_how_many_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = HungDisk(monkeypatch)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), kept_in(tmp_path) as jobs:
            jobs._disk.limit_seconds = 0.05
            jobs.keep(ended("first"), log_with("x" * 2**20))
            await until(lambda: disk.calls > 0 and jobs._disk.hangs, "the disk hangs")
            jobs.keep(ended("second"))
    finally:
        disk.release.set()
    assert [event["jobs"] for event in told(caplog, EndedJobsNotKept)] == [1, 2]


async def test_jobs_that_end_together_are_written_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is woken once for them, not once for each: that would be felt by the jobs that run."""
    async with kept_in(tmp_path) as jobs:
        await until(lambda: jobs._is_open, "it is open")
        submitted = []
        submit = jobs._disk.submit
        monkeypatch.setattr(jobs._disk, "submit", lambda *call: (submitted.append(call), submit(*call))[1])
        for number in range(50):
            jobs.keep(ended(f"j{number}"))
        await asyncio.sleep(0)
        assert submitted == []
        await until(lambda: len(jobs.latest(100)) == 50, "all are written")
        assert len(submitted) == 1


async def test_nothing_is_forced_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("fsync", "fdatasync", "sync"):
        monkeypatch.setattr(os, name, lambda *_, name=name: calls.append(name))
    async with kept_in(tmp_path) as jobs:
        jobs.keep(ended("a"), log_with("one"))
        await whole_log(jobs, "a")
    assert calls == []


async def test_what_a_worker_has_kept_can_be_read_without_it_and_is_not_changed(tmp_path: Path) -> None:
    async with kept_in(tmp_path) as jobs:
        for name in "abcd":
            jobs.keep(ended(name), log_with(name))
    spoil(files_in(tmp_path)[1], "cut")
    before = [path.read_bytes() for path in files_in(tmp_path)]
    found = list(files.kept_jobs(tmp_path / "ended_jobs"))
    assert [job.job_id for _, job in found] == ["d", "c", "a"]
    opened = files.read_file(found[0][0])
    assert messages(opened.log(0)) == ["d"]
    opened.close()
    assert [path.read_bytes() for path in files_in(tmp_path)] == before
