"""The journal's file: durable, private, one writer, and clear words when it can't be used."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from supervisor.errors import StateDirectoryError
from supervisor.journal import Claim, Journal

ROOT = Path(__file__).parents[2]
SCENARIO = Path(__file__).with_name("writing_scenario.py")


def writer(directory: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SCENARIO), str(directory)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


async def test_what_was_stored_survives_kill_9_at_any_moment(tmp_path: Path) -> None:
    for lines in (1, 2, 5, 20, 101):
        directory = tmp_path / str(lines)
        with writer(directory) as process:
            assert process.stdout is not None
            said = [await asyncio.to_thread(process.stdout.readline) for _ in range(lines)]
            process.kill()
        journal = Journal(directory)
        stored = {result.number: result.text for result in await journal.undelivered()}
        known = set(stored) | {number for number, *_ in await journal.interrupted()}
        journal.close()
        for line in said:
            word, number = line.split()
            assert int(number) in known
            if word == "stored":
                assert stored[int(number)] == b"result " + number.encode()


def test_the_log_is_synced_at_each_commit(tmp_path: Path) -> None:
    """A result must survive the machine's power as well, which no test can cut."""
    journal = Journal(tmp_path)
    synchronous = journal._database.execute("PRAGMA synchronous").fetchone()
    mode = journal._database.execute("PRAGMA journal_mode").fetchone()
    journal.close()
    assert (synchronous, mode) == ((2,), ("wal",))


def test_nobody_else_may_read_the_journal(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        journal = Journal(tmp_path / "state")
        asyncio.run(journal.remember("a", "b"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
        directory = stat.S_IMODE((tmp_path / "state").stat().st_mode)
        journal.close()
    finally:
        os.umask(before)
    assert directory == 0o700
    assert {name for name in modes if name.startswith("journal")} >= {
        "journal.sqlite3",
        "journal.sqlite3-wal",
    }
    assert set(modes.values()) == {0o600}


def test_a_second_supervisor_is_refused_with_the_directory_s_name(tmp_path: Path) -> None:
    with writer(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StateDirectoryError, match="another supervisor") as caught:
            Journal(tmp_path)
        process.kill()
    assert str(tmp_path) in str(caught.value)
    assert "--state-dir" in str(caught.value)
    Journal(tmp_path).close()  # the lock went with its process


def test_a_journal_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    database = sqlite3.connect(tmp_path / "journal.sqlite3")
    database.execute("PRAGMA user_version = 99")
    database.close()
    before = (tmp_path / "journal.sqlite3").read_bytes()
    with pytest.raises(StateDirectoryError, match="schema 99"):
        Journal(tmp_path)
    assert (tmp_path / "journal.sqlite3").read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"something else " * 500)
    with pytest.raises(StateDirectoryError, match="not a database"):
        Journal(tmp_path)
    assert (tmp_path / "journal.sqlite3").read_bytes() == b"something else " * 500


def test_a_refused_journal_does_not_keep_the_directory(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"something else " * 500)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(StateDirectoryError, match="can't be opened"):
            Journal(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before
    (tmp_path / "journal.sqlite3").unlink()
    Journal(tmp_path).close()


@pytest.mark.parametrize("place", ["file/state", "/proc/state"])
def test_a_directory_that_can_not_be_made_is_named_with_its_reason(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateDirectoryError) as caught:
        Journal(tmp_path / place)
    assert place in str(caught.value)
    assert "--state-dir" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateDirectoryError, match="Permission denied"):
        Journal(tmp_path)


async def test_a_disk_that_takes_nothing_is_an_error_of_the_write_and_not_of_the_journal(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    await journal.remember("before", "1")
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(
        f"PRAGMA max_page_count = {pages}"
    )  # as far as SQLite can tell, the disk is full
    (number,) = await journal.claim([Claim("a", "b", "w", 0.0, "d")])
    with pytest.raises(sqlite3.OperationalError, match="full"):
        await journal.store_result(number, b"x" * 100_000)
    journal._database.execute("PRAGMA max_page_count = 1000000")
    await journal.store_result(number, b"x" * 100_000)
    assert len((await journal.undelivered())[0].text) == 100_000
    journal.close()


async def test_what_was_delivered_is_gone_from_the_file(tmp_path: Path) -> None:
    """Results hold what devices said."""
    journal = Journal(tmp_path)
    (number,) = await journal.claim([Claim("a", "b", "w", 0.0, "d")])
    await journal.store_result(number, b"a-very-recognisable-configuration")
    await journal.forget(number)
    journal.close()
    assert b"recognisable" not in (tmp_path / "journal.sqlite3").read_bytes()
