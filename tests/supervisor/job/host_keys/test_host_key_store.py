"""The keys on the disk: kept, found again, forgotten by a person, and no job's trouble where the disk has some."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
from host_keys_support import R1, R1_HIGH, R2, some_key

from supervisor.errors import StartRefusedError, StateDirectoryError
from supervisor.job.host_keys import files, store
from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.files import KeptFile
from supervisor.job.host_keys.known_hosts_file import KnownHostsText, line_text, parse
from supervisor.job.host_keys.public_key import PublicKey
from supervisor.job.host_keys.store import HostKeyStore
from supervisor.job.host_keys.table import Decision
from supervisor.log.events.host_keys import (
    HostKeyLinesUnused,
    HostKeyMarkersSkipped,
    HostKeysNotStored,
    HostKeysStoredAgain,
    KnownHostsUnreadable,
)
from supervisor.process.disk_thread import DiskThread
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until, wait_until

NEW = "accept-new"
Open = Callable[..., "asyncio.Future[HostKeyStore]"]


@pytest.fixture
async def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """Open stores that look at their files all the time, and close them."""
    monkeypatch.setattr(store, "LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(store, "REST_SECONDS", 0.01)
    async with AsyncExitStack() as at_the_end:

        async def open_store(known_hosts: Path | None = None) -> HostKeyStore:
            one = HostKeyStore(tmp_path, known_hosts)
            at_the_end.push_async_callback(one.close)
            await one.open()
            return one

        yield open_store


def lines_in(directory: Path) -> list[str]:
    file = directory / "known_hosts"
    return file.read_text().splitlines() if file.exists() else []


def keep(one: HostKeyStore, endpoint: Endpoint) -> PublicKey:
    key = some_key()
    assert one.decide(endpoint, key, {endpoint}, NEW) is Decision.KEPT
    return key


async def test_a_kept_key_is_in_the_file_for_its_owner_alone_and_known_after_a_restart(
    opened: Open, tmp_path: Path
) -> None:
    one = await opened()
    first, second = keep(one, R1), keep(one, R1_HIGH)
    await until(lambda: len(lines_in(tmp_path)) == 2)
    assert (tmp_path / "known_hosts").stat().st_mode & 0o777 == 0o600
    await one.close()
    again = await opened()
    assert await again.keys_of([R1, R1_HIGH, R2]) == [(R1, first), (R1_HIGH, second)]


async def test_keys_that_come_while_the_disk_writes_are_all_written(opened: Open, tmp_path: Path) -> None:
    one = await opened()
    endpoints = [Endpoint(f"10.1.0.{number}", 22) for number in range(1, 200)]
    for endpoint in endpoints:
        keep(one, endpoint)
    await until(lambda: len(lines_in(tmp_path)) == len(endpoints))
    assert not (tmp_path / "known_hosts.new").exists()


async def test_a_person_can_forget_a_key_while_the_worker_runs(opened: Open, tmp_path: Path) -> None:
    one = await opened()
    kept, other = keep(one, R1), keep(one, R2)
    await until(lambda: len(lines_in(tmp_path)) == 2)
    removed = KeptFile(tmp_path / "known_hosts").remove(lambda line: line.matches(R1))
    assert [line.key for line in removed] == [kept]
    await until(lambda: one.known_key(R1) is None)
    assert one.known_key(R2) == other
    fresh = keep(one, R1)
    await until(
        lambda: [line.key for line in parse((tmp_path / "known_hosts").read_text()).lines] == [other, fresh]
    )


async def test_a_key_that_is_forgotten_before_the_loop_hears_of_its_writing_stays_forgotten(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_if_changed, read = KeptFile.read_if_changed, []

    def noted(file: KeptFile) -> KnownHostsText | None:
        if (text := read_if_changed(file)) is not None:
            read.append(text)
        return text

    monkeypatch.setattr(KeptFile, "read_if_changed", noted)
    other = some_key()
    KeptFile(tmp_path / "known_hosts").add([(R2, other)])
    one = await opened()
    keep(one, R1)
    # The loop stands still until the store's thread has written, and then read what a person has done.
    wait_until(lambda: len(lines_in(tmp_path)) == 2)
    removed = KeptFile(tmp_path / "known_hosts").remove(lambda line: line.matches(R1))
    assert len(removed) == 1
    wait_until(lambda: [[line.key for line in text.lines] for text in read] == [[other]] * 2)
    await until(lambda: one.known_key(R1) is None)
    assert one.known_key(R2) == other


async def test_a_file_that_is_deleted_is_no_wish_to_forget(opened: Open, tmp_path: Path) -> None:
    one = await opened()
    kept = keep(one, R1)
    await until(lambda: len(lines_in(tmp_path)) == 1)
    (tmp_path / "known_hosts").unlink()
    keep(one, R2)
    await until(lambda: len(lines_in(tmp_path)) == 2)
    assert one.known_key(R1) == kept


async def test_a_full_disk_costs_no_job_its_key_and_is_told_once(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    one = await opened()
    tries: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        tries.append(path)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "replace_file", full)
        key = keep(one, R1)
        other = keep(one, R2)
        await until(lambda: len(tries) >= 3)
    assert (one.known_key(R1), one.known_key(R2)) == (key, other)
    await until(lambda: len(lines_in(tmp_path)) == 2)
    await until(lambda: told(caplog, HostKeysStoredAgain))
    assert [facts["reason"] for facts in told(caplog, HostKeysNotStored)] == ["No space left on device"]
    assert (one.known_key(R1), one.known_key(R2)) == (key, other)


def test_a_disk_that_takes_half_a_file_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = KeptFile(tmp_path / "known_hosts")
    file.add([(R1, some_key())])
    before = (tmp_path / "known_hosts").read_bytes()
    write, calls = os.write, []

    def half(descriptor: int, data: bytes) -> int:
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(descriptor, bytes(data)[:10])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        file.add([(R2, some_key())])
    assert (tmp_path / "known_hosts").read_bytes() == before


async def test_keys_that_cannot_be_read_stop_the_start_rather_than_be_forgotten(
    opened: Open, tmp_path: Path
) -> None:
    (tmp_path / "known_hosts").mkdir()
    with pytest.raises(StateDirectoryError, match="known_hosts can't be read"):
        await opened()


async def test_a_line_with_a_marker_is_skipped_and_said_to_be_one(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given, key = tmp_path / "given", some_key()
    line = line_text(R1, key, "")
    given.write_text(f"@cert-authority {line}\n" + f"@revoked {line}\n" * 11)
    one = await opened(given)
    assert await one.keys_of([R1]) == []
    (said,) = told(caplog, HostKeyMarkersSkipped)
    assert said["line_numbers"] == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"
    assert told(caplog, HostKeyLinesUnused) == [], "it is no line of another form"


async def test_the_operators_file_is_only_read_and_read_again_when_it_changes(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given, key, second = tmp_path / "given", some_key(), some_key()
    given.write_text(f"{line_text(R1, key, '')}\nnonsense\n")
    before = given.read_bytes()
    one = await opened(given)
    assert await one.keys_of([R1]) == [(R1, key)]
    assert told(caplog, HostKeyLinesUnused) == [{"path": str(given), "line_numbers": "2"}]
    assert one.decide(R1, second, {R1}, NEW) is Decision.ANOTHER_IS_KNOWN
    assert given.read_bytes() == before
    given.write_text(f"{line_text(R1, second, '')}\n")
    await until(lambda: one.known_key(R1) == second)
    given.unlink()
    await until(lambda: told(caplog, KnownHostsUnreadable))
    assert one.known_key(R1) == second


async def test_an_operators_file_that_is_not_there_stops_the_start(opened: Open, tmp_path: Path) -> None:
    with pytest.raises(StartRefusedError, match="--known-hosts"):
        await opened(tmp_path / "missing")


async def test_another_operators_file_is_in_force_after_a_reload(opened: Open, tmp_path: Path) -> None:
    first, second = some_key(), some_key()
    (tmp_path / "a").write_text(line_text(R1, first, ""))
    (tmp_path / "b").write_text(line_text(R1, second, ""))
    one = await opened(tmp_path / "a")
    one.use(tmp_path / "b")
    await until(lambda: one.known_key(R1) == second)
    one.use(None)
    assert one.known_key(R1) is None


async def test_without_a_directory_keys_last_as_long_as_the_run_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    one = HostKeyStore()
    await one.open()
    key = keep(one, R1)
    assert one.known_key(R1) == key
    await one.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_lock_that_nobody_gives_back_holds_up_no_job(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.01)
    one = await opened()
    other = KeptFile(tmp_path / "known_hosts")
    with other._locked():
        key = keep(one, R1)
        await until(lambda: told(caplog, HostKeysNotStored))
        assert one.known_key(R1) == key
    await until(lambda: len(lines_in(tmp_path)) == 1)


async def test_a_disk_that_is_slow_at_the_start_is_waited_for_longer_than_while_jobs_wait(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = some_key()
    (tmp_path / "known_hosts").write_text(line_text(R1, key, "") + "\n")
    disk = SlowDisk(monkeypatch)
    opening = asyncio.ensure_future(opened())
    await until(disk.is_asked.is_set, "the file is being read")
    await asyncio.sleep(10 * disk.limit_seconds)
    assert not opening.done()
    disk.answers.set()
    assert await (await opening).keys_of([R1]) == [(R1, key)]


async def test_a_disk_that_never_answers_at_the_start_is_told_as_such_and_no_file_is_to_be_moved_away(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its file, a worker accepts any key of a device that was known."""
    disk = SlowDisk(monkeypatch)
    monkeypatch.setattr(store, "START_SECONDS", disk.limit_seconds)
    with pytest.raises(StateDirectoryError, match="Check the disk") as refused:
        await opened()
    assert "away" not in str(refused.value)
    disk.answers.set()


class SlowDisk:
    """Reads of the worker's file take until `answers` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.limit_seconds = 0.02
        self.is_asked, self.answers = threading.Event(), threading.Event()
        read = KeptFile.read_if_changed

        def slowly(file: KeptFile) -> KnownHostsText | None:
            self.is_asked.set()
            self.answers.wait(PATIENCE_SECONDS)
            return read(file)

        monkeypatch.setattr(KeptFile, "read_if_changed", slowly)
        monkeypatch.setattr(store, "DiskThread", partial(DiskThread, limit_seconds=self.limit_seconds))
