"""The file that says what the journal could not forget: written in place, and trusted only as far as it can be."""

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from journal_support import claim

from supervisor.journal.accepted_results import FILE as NAMES
from supervisor.journal.accepted_results import SLOTS, AcceptedResults, name_of
from supervisor.journal.records import Entry
from supervisor.log.events.results import AcceptedResultsUnusable
from tests.log_events import told

ENTRY = Entry(7, claim("job"), b"{}", 2.0)


def opened(path: Path) -> AcceptedResults:
    results = AcceptedResults(path)
    results.open()
    return results


def is_named(path: Path, entry: Entry) -> bool:
    """Whether the next start finds it."""
    return opened(path).named([entry]) == {entry.number}


def test_it_has_its_full_length_and_all_its_blocks_before_anything_is_named(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        results = opened(tmp_path / NAMES)
    finally:
        os.umask(before)
    fresh = (tmp_path / NAMES).stat()
    assert fresh.st_size == 32 * (SLOTS + 1) == 32 * 1024
    assert fresh.st_blocks * 512 >= fresh.st_size
    assert stat.S_IMODE(fresh.st_mode) == 0o600
    results.add(ENTRY)
    written = (tmp_path / NAMES).stat()
    assert (written.st_ino, written.st_size, written.st_blocks) == (
        fresh.st_ino,
        fresh.st_size,
        fresh.st_blocks,
    )


def test_a_name_is_that_of_one_claim_s_row_whatever_became_of_its_result(tmp_path: Path) -> None:
    opened(tmp_path / NAMES).add(replace(ENTRY, result=None, finished_at=None))
    assert is_named(tmp_path / NAMES, ENTRY)
    assert is_named(tmp_path / NAMES, replace(ENTRY, result=b"foreseen", finished_at=9.0))
    others = [
        replace(ENTRY, number=8),
        *(
            replace(ENTRY, claim=replace(ENTRY.claim, **{field: value}))
            for field, value in {
                "job_id": "job\ud800",
                "block_id": "p/c:1.0.0",
                "worker_uuid": "w-2",
                "claimed_at": 1.5000000000000002,
                "digest": "",
            }.items()
        ),
    ]
    assert opened(tmp_path / NAMES).named([*others, ENTRY]) == {7}
    for other in others:
        opened(tmp_path / NAMES).add(other)
        assert is_named(tmp_path / NAMES, other)


def test_a_place_is_free_again_when_its_row_is_gone_or_no_row_has_the_name(tmp_path: Path) -> None:
    results = opened(tmp_path / NAMES)
    fresh = (tmp_path / NAMES).read_bytes()
    stale, kept = replace(ENTRY, number=8), replace(ENTRY, number=9)
    for entry in (ENTRY, stale, kept, kept):
        results.add(entry)
    results.remove(ENTRY)
    results.remove(ENTRY)
    results.keep([kept, replace(ENTRY, number=10)])
    assert opened(tmp_path / NAMES).named([ENTRY, stale, kept]) == {9}
    results.remove(kept)
    assert (tmp_path / NAMES).read_bytes() == fresh


def test_where_all_places_are_taken_no_name_is_lost_and_the_next_free_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: None)
    results = opened(tmp_path / NAMES)
    entries = [replace(ENTRY, number=number) for number in range(SLOTS + 1)]
    for entry in entries:
        results.add(entry)
    assert opened(tmp_path / NAMES).named(entries) == set(range(SLOTS))
    results.remove(entries[5])
    results.add(entries[-1])
    assert opened(tmp_path / NAMES).named(entries) == {*range(SLOTS + 1)} - {5}
    assert (tmp_path / NAMES).stat().st_size == 32 * 1024


def test_a_name_that_was_torn_is_the_name_of_nothing(tmp_path: Path) -> None:
    opened(tmp_path / NAMES).add(ENTRY)
    content = (tmp_path / NAMES).read_bytes()
    name = name_of(ENTRY)
    (tmp_path / NAMES).write_bytes(content.replace(name, name[:16] + bytes(16)))
    results = opened(tmp_path / NAMES)
    assert results.named([ENTRY]) == set()
    results.keep([ENTRY])
    assert not any((tmp_path / NAMES).read_bytes()[32:])


def shorter(path: Path) -> None:
    os.truncate(path, 32 * 1024 - 1)


def longer(path: Path) -> None:
    os.truncate(path, 32 * 1024 + 1)


def of_another_version(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"accepted 1\n", b"accepted 2\n"))


def empty(path: Path) -> None:
    os.truncate(path, 0)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def twice(path: Path) -> None:
    os.link(path, path.with_name("elsewhere"))


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [shorter, longer, of_another_version, empty, linked, twice, fifo])
def test_what_is_not_to_be_trusted_is_told_and_replaced_and_neither_heeded_nor_written_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None]
) -> None:
    opened(tmp_path / NAMES).add(ENTRY)
    spoil(tmp_path / NAMES)
    elsewhere = tmp_path / "elsewhere"
    before = elsewhere.read_bytes() if elsewhere.exists() else b""
    results = opened(tmp_path / NAMES)
    assert results.named([ENTRY]) == set()
    (facts,) = told(caplog, AcceptedResultsUnusable)
    assert facts["path"] == str(tmp_path / NAMES)
    results.add(ENTRY)
    assert is_named(tmp_path / NAMES, ENTRY)
    assert len(told(caplog, AcceptedResultsUnusable)) == 1
    status = (tmp_path / NAMES).lstat()
    assert (stat.S_ISREG(status.st_mode), status.st_nlink, status.st_size) == (True, 1, 32 * 1024)
    assert (elsewhere.read_bytes() if elsewhere.exists() else b"") == before


class Failing:
    """Has calls of `os` fail with EIO, for as long as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        self.fails = True
        for name in names:
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if self.fails:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*arguments)

        return call


def test_names_that_can_not_be_read_now_are_left_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened(tmp_path / NAMES).add(ENTRY)
    before = (tmp_path / NAMES).read_bytes()
    disk = Failing(monkeypatch, "pread")
    results = AcceptedResults(tmp_path / NAMES)
    for _ in range(3):
        results.open()
        results.keep([])
        results.add(replace(ENTRY, number=8))
        assert results.named([ENTRY]) == set()
    assert [facts["reason"] for facts in told(caplog, AcceptedResultsUnusable)] == [os.strerror(errno.EIO)]
    assert (tmp_path / NAMES).read_bytes() == before
    disk.fails = False
    results.open()
    assert results.named([ENTRY]) == {7}


@pytest.mark.parametrize("name", ["pwrite", "fdatasync", "open"])
def test_a_disk_that_fails_raises_nothing_keeps_no_descriptor_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    results = opened(tmp_path / NAMES)
    held = len(os.listdir("/proc/self/fd"))
    disk = Failing(monkeypatch, name)
    results.add(ENTRY)
    results.remove(ENTRY)
    disk.fails = False
    assert len(os.listdir("/proc/self/fd")) == held
    results.add(ENTRY)
    assert is_named(tmp_path / NAMES, ENTRY)


def test_on_a_disk_on_which_it_can_not_be_made_nothing_is_raised_and_it_is_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Failing(monkeypatch, "fsync")
    results = opened(tmp_path / NAMES)
    results.add(ENTRY)
    assert not (tmp_path / NAMES).exists()
    disk.fails = False
    results.open()
    results.add(ENTRY)
    assert is_named(tmp_path / NAMES, ENTRY)
    assert told(caplog, AcceptedResultsUnusable) == []  # the journal tells of such a disk
