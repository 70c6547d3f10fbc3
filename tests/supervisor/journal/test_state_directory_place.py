"""A state directory belongs to its place: a copy of it is known as one, and a move on the spot is none."""

import asyncio
import errno
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from journal_support import claim, make_version_1, raw

from supervisor.journal import Ledger, state_directory
from supervisor.journal import directory as directory_module
from supervisor.journal.directory import DirectoryLock, is_in_use
from supervisor.journal.disk_fault import DiskFault
from supervisor.journal.place_record import PlaceRecord, write_place
from supervisor.journal.state_directory import StateDirectory, open_directory
from supervisor.log.events.state import PlaceInDoubt, StateDirectoryHangs
from supervisor.process.machine import Machine
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until

MACHINE = Machine(machine_id="1" * 32, boot_id="boot")


def doubt_of(directory: Path, machine: Machine = MACHINE, journal_key: str | None = None) -> str | None:
    held = StateDirectory(directory, machine)
    held.judge_journal(journal_key)
    held.close()
    return held.doubt


def made_at(directory: Path, machine: Machine = MACHINE) -> str:
    """Make a state directory that belongs to its place, and return its key."""
    held = StateDirectory(directory, machine)
    held.remember()
    held.close()
    return held.key


def test_a_directory_that_was_only_renamed_is_the_same(tmp_path: Path) -> None:
    key = made_at(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    assert doubt_of(tmp_path / "two", journal_key=key) is None


def test_a_copy_is_not_even_if_the_original_is_gone(tmp_path: Path) -> None:
    made_at(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert "another directory" in str(doubt_of(tmp_path / "two"))
    shutil.rmtree(tmp_path / "one")
    assert "another directory" in str(doubt_of(tmp_path / "two"))
    assert doubt_of(tmp_path / "two") is not None, "a look settles nothing"


def test_the_same_disk_in_another_machine_is_in_doubt_until_that_is_settled(tmp_path: Path) -> None:
    key = made_at(tmp_path)
    clone = Machine(machine_id="2" * 32, boot_id="boot")
    assert "machine-id" in str(doubt_of(tmp_path, clone))
    held = StateDirectory(tmp_path, clone)
    assert held.settle() != key, "a copy must not take the original's journal for its own"
    held.close()
    assert doubt_of(tmp_path, clone) is None
    assert "machine-id" in str(doubt_of(tmp_path, MACHINE))


def test_a_directory_of_a_version_before_belongs_where_it_is_and_then_only_there(tmp_path: Path) -> None:
    made_at(tmp_path / "old")
    (tmp_path / "old" / "place").unlink()
    made_at(tmp_path / "old")
    shutil.copytree(tmp_path / "old", tmp_path / "copy")
    assert (doubt_of(tmp_path / "old"), doubt_of(tmp_path / "copy") is None) == (None, False)


def test_a_place_that_is_written_down_is_not_written_again_until_it_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def write(directory: Path, record: PlaceRecord) -> None:
        written.append(record.key)
        write_place(directory, record)

    monkeypatch.setattr(state_directory, "write_place", write)
    held = StateDirectory(tmp_path, MACHINE)
    for _ in range(3):  # as at each recovery of the disk
        held.remember()
    assert written == [held.key]
    held.settle()
    held.remember()
    assert written[1:] == [held.key]
    held.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 1, "key": "short", "inode": 1}', b"\xff"]
)
def test_a_record_that_cannot_be_read_is_a_doubt(tmp_path: Path, content: bytes) -> None:
    made_at(tmp_path)
    (tmp_path / "place").write_bytes(content)
    assert "can't be read" in str(doubt_of(tmp_path))


def test_a_fifo_in_the_record_s_place_is_a_doubt_and_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "place")
    assert "can't be read" in str(doubt_of(tmp_path))


def test_a_journal_of_another_directory_is_a_doubt_and_so_is_a_record_that_is_gone(tmp_path: Path) -> None:
    key = made_at(tmp_path)
    assert doubt_of(tmp_path, journal_key=key) is None
    assert "another state directory" in str(doubt_of(tmp_path, journal_key="0" * 32))
    (tmp_path / "place").unlink()
    assert "missing" in str(doubt_of(tmp_path, journal_key=key))


def test_nothing_in_the_record_tells_the_machine_id(tmp_path: Path) -> None:
    made_at(tmp_path)
    text = (tmp_path / "place").read_text()
    assert "1" * 32 not in text
    assert (tmp_path / "place").stat().st_mode & 0o777 == 0o600
    (tmp_path / "place").write_text(json.dumps({**json.loads(text), "of_a_newer_version": 1}))
    assert doubt_of(tmp_path) is None


async def test_a_disk_that_does_not_answer_is_told_and_holds_up_nothing_but_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers = threading.Event()
    real = os.open

    def hanging(path: object, *arguments: object, **more: object) -> int:
        if path == tmp_path:
            answers.wait(PATIENCE_SECONDS)
        return real(path, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(state_directory, "HANGS_SECONDS", 0.05)
    monkeypatch.setattr(os, "open", hanging)
    opening = asyncio.create_task(open_directory(tmp_path))
    await until(lambda: told(caplog, StateDirectoryHangs), "it is told")
    assert told(caplog, StateDirectoryHangs) == [{"path": str(tmp_path), "seconds": 0.05}]
    answers.set()
    directory = await opening
    assert is_in_use(tmp_path)
    directory.close()


async def test_a_start_that_is_given_up_while_the_disk_hangs_keeps_no_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, has_begun = threading.Event(), threading.Event()
    real = directory_module.DirectoryLock._take

    def late(lock: DirectoryLock) -> None:
        real(lock)
        has_begun.set()
        answers.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(directory_module.DirectoryLock, "_take", late)
    opening = asyncio.create_task(open_directory(tmp_path))
    await until(has_begun.is_set, "it waits")
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    answers.set()
    await until(lambda: not is_in_use(tmp_path), "it is let go")


async def test_a_copied_journal_does_not_say_who_the_worker_is_until_it_is_registered_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await Ledger.open(tmp_path / "one")
    await ledger.remember("worker_uuid", "w-1")
    await ledger.claim([claim("running")])
    await ledger.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for _ in range(2):  # a start that was killed before it had registered
        copy = await Ledger.open(tmp_path / "two")
        assert (await copy.fact("worker_uuid"), copy.doubt is None) == (None, False)
        await copy.close()
    assert len(told(caplog, PlaceInDoubt)) == 2
    copy = await Ledger.open(tmp_path / "two")
    await copy.remember("worker_uuid", "w-2")
    await copy.set_aside([entry.number for entry in copy.interrupted()], "a copy")
    await copy.settle_doubt()
    await copy.close()
    again = await Ledger.open(tmp_path / "two")
    assert (await again.fact("worker_uuid"), again.doubt, again.interrupted()) == ("w-2", None, [])
    await again.close()
    original = await Ledger.open(tmp_path / "one")
    assert (await original.fact("worker_uuid"), original.doubt) == ("w-1", None)
    await original.close()


async def test_the_copy_of_the_uuid_beside_a_lost_journal_is_doubted_as_well(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path / "one")
    await ledger.remember("worker_uuid", "w-1")
    await ledger.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for directory, uuid in (("one", "w-1"), ("two", None)):
        for file in (tmp_path / directory).glob("journal.sqlite3*"):
            file.unlink()
        ledger = await Ledger.open(tmp_path / directory)
        assert await ledger.fact("worker_uuid") == uuid
        await ledger.close()


async def test_an_upgrade_in_place_stays_the_same_worker(tmp_path: Path) -> None:
    make_version_1(tmp_path)
    for _ in range(2):
        ledger = await Ledger.open(tmp_path)
        assert (await ledger.fact("worker_uuid"), ledger.doubt) == ("w-1", None)
        await ledger.close()


async def test_a_doubt_is_not_settled_before_all_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next start would report what this one could not set aside."""
    await (await Ledger.open(tmp_path / "one")).close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    copy = await Ledger.open(tmp_path / "two")
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "is_whole", property(lambda ledger: False))
        await copy.settle_doubt()
    await copy.close()
    again = await Ledger.open(tmp_path / "two")
    assert again.doubt is not None
    await again.close()


async def test_a_directory_that_is_moved_away_while_it_is_used_belongs_to_nobody_until_a_person_says_so(
    tmp_path: Path,
) -> None:
    ledger = await Ledger.open(tmp_path / "one", mend_seconds=0.05)
    await ledger.remember("worker_uuid", "w-1")
    (tmp_path / "one").rename(tmp_path / "moved")
    ledger._on_lost()
    await until(lambda: (tmp_path / "one" / "place").exists() and ledger.is_whole, "a new one is taken")
    assert is_in_use(tmp_path / "one")
    assert is_in_use(tmp_path / "moved"), "what lies in it is this worker's"
    await ledger.close()
    for directory, is_sure in (("one", True), ("moved", False)):
        ledger = await Ledger.open(tmp_path / directory)
        assert (ledger.doubt is None) == is_sure
        await ledger.close()
    assert raw(tmp_path / "one", "SELECT value FROM facts WHERE name = 'worker_uuid'") == [("w-1",)]


@pytest.fixture
def free_space(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have the disk be full for the file `place`, until this is called."""
    is_full = True

    def write(directory: Path, record: PlaceRecord) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_place(directory, record)

    def free() -> None:
        nonlocal is_full
        is_full = False

    monkeypatch.setattr(state_directory, "write_place", write)
    return free


async def test_a_start_on_a_full_disk_makes_no_later_start_take_the_directory_for_a_copy(
    tmp_path: Path, free_space: Callable[[], None]
) -> None:
    ledger = await Ledger.open(tmp_path)
    await ledger.remember("worker_uuid", "w-1")
    await ledger.close()
    free_space()
    ledger = await Ledger.open(tmp_path)
    assert ledger.doubt is None
    assert await ledger.fact("worker_uuid") == "w-1"
    await ledger.close()


async def test_where_the_directory_belongs_is_written_when_the_disk_takes_the_journal_again(
    tmp_path: Path, free_space: Callable[[], None]
) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=0.05)
    assert not (tmp_path / "place").exists()
    free_space()
    ledger._durable_copy._on_fault(DiskFault.FULL, OSError(errno.ENOSPC, "No space left on device"))
    await until((tmp_path / "place").exists, "it is written down where the directory belongs")
    await ledger.close()
    shutil.copytree(tmp_path, tmp_path.with_name("copy"))
    copy = await Ledger.open(tmp_path.with_name("copy"))
    assert copy.doubt is not None
    await copy.close()
