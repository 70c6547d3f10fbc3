"""The journal's file: durable, private, one writer, and clear words when it can't be used."""

import asyncio
import errno
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from journal_support import FILE, claim, make_version_1, raw, writer

from supervisor.errors import StateDirectoryError
from supervisor.journal import Ledger, schema
from supervisor.journal.disk_fault import DiskFault, fault_of
from supervisor.journal.schema import SCHEMA_VERSION, open_database
from tests.patience import PATIENCE_SECONDS, until


async def check_promises(directory: Path, said: list[str]) -> None:
    """Everything that was said to be on the disk is there."""
    ledger = await Ledger.open(directory)
    stored = {result.number: result.text for result in ledger.undelivered()}
    dead = dict(raw(directory, "SELECT number, result FROM claims WHERE dead_reason NOT NULL"))
    known = set(stored) | {entry.number for entry in ledger.interrupted()} | set(dead)
    await ledger.close()
    forgotten = {int(line.split()[1]) for line in said if line.startswith("forgotten")}
    for line in said:
        word, number = line.split()[0], int(line.split()[1])
        if word == "opened":
            continue
        # The next one may be forgotten without anybody having heard of it.
        assert number in known or number in forgotten or number == max(forgotten, default=-1) + 2
        if word == "stored" and number in known:
            assert (stored | dead)[number] == b"result %d" % number
        if word == "buried":
            assert number in dead
        if word == "forgotten":
            assert number not in known


async def test_what_was_stored_survives_kill_9_at_any_moment(tmp_path: Path) -> None:
    for lines in (1, 2, 5, 20, 101):
        directory = tmp_path / str(lines)
        with writer(directory) as process:
            assert process.stdout is not None
            said = [await asyncio.to_thread(process.stdout.readline) for _ in range(lines)]
            process.kill()
            # What it said meanwhile counts too. Of the last line the end may be missing.
            said += [line for line in process.stdout.readlines() if line.endswith("\n")]
        await check_promises(directory, said)


@pytest.mark.parametrize("statement", [1, 3, 7, 9, 11, 13, 16, 18, 19, 20, 21, 22, 23, 27, 31, 38, 45, 60])
async def test_what_was_stored_survives_kill_9_within_any_statement(tmp_path: Path, statement: int) -> None:
    """Also while the file is made. Statements are BEGIN, INSERT, DELETE, COMMIT, PRAGMA and so on."""
    with writer(tmp_path, str(statement)) as process:
        said, errors = await asyncio.to_thread(process.communicate, timeout=PATIENCE_SECONDS)
    assert process.returncode == -9, errors
    await check_promises(tmp_path, said.splitlines())


async def test_the_log_is_synced_at_each_commit(tmp_path: Path) -> None:
    """A result must survive the machine's power as well, which no test can cut."""
    database = open_database(tmp_path / FILE)
    settings = [
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "journal_mode", "secure_delete", "busy_timeout")
    ]
    database.close()
    assert settings == [
        2,
        "wal",
        1,
        5000,
    ]  # and another program that holds the file is waited for, for five seconds


async def test_nobody_else_may_read_the_journal(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = await Ledger.open(tmp_path / "state")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
        directory = stat.S_IMODE((tmp_path / "state").stat().st_mode)
        await ledger.close()
    finally:
        os.umask(before)
    assert directory == 0o700
    assert {name for name in modes if name.startswith("journal")} >= {FILE, f"{FILE}-wal"}
    assert set(modes.values()) == {0o600}


async def test_a_journal_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    await (await Ledger.open(tmp_path)).close()
    (tmp_path / FILE).chmod(0o644)
    ledger = await Ledger.open(tmp_path)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in (FILE, f"{FILE}-wal")}
    await ledger.close()
    assert modes == {0o600}


async def test_a_second_supervisor_is_refused_with_the_directory_s_name(tmp_path: Path) -> None:
    with writer(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StateDirectoryError, match="another supervisor") as caught:
            await Ledger.open(tmp_path)
        process.kill()
    assert str(tmp_path) in str(caught.value)
    assert "--state-dir" in str(caught.value)
    await (await Ledger.open(tmp_path)).close()  # the lock went with its process


async def test_a_journal_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    await (await Ledger.open(tmp_path)).close()
    raw(tmp_path, "PRAGMA user_version = 99")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StateDirectoryError, match="schema 99"):
        await Ledger.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


async def test_a_refused_journal_does_not_keep_the_directory(tmp_path: Path) -> None:
    await (await Ledger.open(tmp_path)).close()
    raw(tmp_path, "PRAGMA user_version = 99")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(StateDirectoryError, match="newer version"):
            await Ledger.open(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before
    (tmp_path / FILE).unlink()
    await (await Ledger.open(tmp_path)).close()


async def check_upgraded(directory: Path) -> None:
    ledger = await Ledger.open(directory)
    assert [entry.claim.job_id for entry in ledger.interrupted()] == ["running"]
    assert [(each.job_id, each.text) for each in ledger.undelivered()] == [
        ("waiting", b'{"jobExecutionId": "waiting"}')
    ]
    assert ledger.known_job_ids() == {"running", "waiting", "dead"}
    assert await ledger.fact("worker_uuid") == "w-1"
    assert ledger.digest_key == bytes.fromhex("ab" * 32)
    (number,) = await ledger.claim([claim("new")])
    assert number == 4
    await ledger.store_result(number, b"{}")
    await ledger.close()
    assert raw(directory, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert raw(directory, "SELECT finished_at NOT NULL FROM claims WHERE job_id = 'new'") == [(1,)]


async def test_a_journal_of_version_1_becomes_ours_with_all_that_is_in_it(tmp_path: Path) -> None:
    make_version_1(tmp_path)
    await check_upgraded(tmp_path)


async def test_a_kill_within_any_statement_of_an_upgrade_leaves_it_to_the_next_start(tmp_path: Path) -> None:
    versions: set[object] = set()
    for statement in range(1, 26):
        directory = tmp_path / str(statement)
        make_version_1(directory)
        with writer(directory, str(statement)) as process:
            await asyncio.to_thread(process.communicate, timeout=PATIENCE_SECONDS)
        assert process.returncode == -9
        versions.add(raw(directory, "PRAGMA user_version")[0][0])
        await check_upgraded(directory)
        assert list(directory.glob("*corrupt*")) == []  # half an upgrade would be taken for damage
    assert versions == set(range(1, SCHEMA_VERSION + 1))  # kills on both sides of each commit


async def test_what_was_delivered_is_gone_from_all_files(tmp_path: Path) -> None:
    """Results hold what devices said. The log (-wal) is emptied while the worker runs."""
    secret = b"a-very-recognisable-configuration" * 1000
    ledger = await Ledger.open(tmp_path)
    kept, delivered = await ledger.claim([claim("kept"), claim("delivered")])
    await ledger.store_result(kept, b"kept" * 1000)
    await ledger.store_result(delivered, secret)
    assert any(b"recognisable" in path.read_bytes() for path in tmp_path.iterdir())
    ledger.forget(delivered)
    await until(
        lambda: not any(b"recognisable" in path.read_bytes() for path in tmp_path.iterdir()),
        "the delivered result is wiped",
    )
    assert (tmp_path / f"{FILE}-wal").stat().st_size == 0
    assert raw(tmp_path, "SELECT result FROM claims") == [(b"kept" * 1000,)]
    await ledger.close()


async def test_a_reader_holds_up_neither_the_writer_nor_the_wiping_for_ever(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    (number,) = await ledger.claim([claim("a")])
    await ledger.store_result(number, b"recognisable")
    reader = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM claims").fetchall()
    ledger.forget(number)
    loop = asyncio.get_running_loop()
    end = loop.time() + 1.5  # long enough for a try to wipe
    while loop.time() < end:
        begin = loop.time()
        await ledger.remember("a", "b")
        assert loop.time() - begin < 3
        await asyncio.sleep(0.05)
    assert b"recognisable" in (tmp_path / f"{FILE}-wal").read_bytes()
    reader.close()
    await until(lambda: (tmp_path / f"{FILE}-wal").stat().st_size == 0, "wiped after the reader's end")
    await ledger.close()


async def test_the_worker_s_own_id_is_kept_beside_the_journal_and_no_other_fact_is(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    await ledger.remember("other", "a")
    assert {path.name for path in tmp_path.iterdir()} == before
    await ledger.remember("worker_uuid", "w-1")
    (copy,) = {path.name for path in tmp_path.iterdir()} - before
    assert "w-1" in (tmp_path / copy).read_text()
    await ledger.close()


def test_an_upgrade_that_fails_half_way_leaves_the_older_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_version_1(tmp_path)
    before = raw(tmp_path, "SELECT sql FROM sqlite_schema ORDER BY name")
    first, second, *_ = schema.MIGRATIONS
    broken = (*second, "ALTER TABLE nowhere ADD COLUMN x")
    monkeypatch.setattr(schema, "MIGRATIONS", (first, broken))
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        open_database(tmp_path / FILE)
    assert raw(tmp_path, "PRAGMA user_version") == [(1,)]
    assert raw(tmp_path, "SELECT sql FROM sqlite_schema ORDER BY name") == before


@pytest.mark.parametrize("place", ["file/state", "/proc/state"])
async def test_a_directory_that_can_not_be_made_is_named_with_its_reason(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateDirectoryError) as caught:
        await Ledger.open(tmp_path / place)
    assert place in str(caught.value)
    assert "--state-dir" in str(caught.value)


@pytest.mark.needs("write protection")
async def test_a_directory_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateDirectoryError, match="Permission denied"):
        await Ledger.open(tmp_path)


async def test_another_program_s_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    raw(tmp_path, "CREATE TABLE theirs (name TEXT)")
    with pytest.raises(StateDirectoryError, match="another program's database"):
        await Ledger.open(tmp_path)
    assert raw(tmp_path, "SELECT name FROM sqlite_master") == [("theirs",)]


@pytest.mark.parametrize("is_full", [True, False])
def test_what_kept_sqlite_from_making_its_log_is_told_where_the_disk_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_full: bool
) -> None:
    """It drops the error: without free inodes, a file can't be made."""
    refused = sqlite3.OperationalError("unable to open database file")
    refused.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    opened = os.open

    def fails(database: sqlite3.Connection, path: Path) -> None:
        raise refused

    def open_(path: str | Path, *arguments: int) -> int:
        if is_full and str(path).endswith("-wal"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, *arguments)

    monkeypatch.setattr(schema, "_prepare", fails)
    monkeypatch.setattr(os, "open", open_)
    with pytest.raises((OSError, sqlite3.OperationalError)) as caught:
        schema.open_database(tmp_path / "journal.sqlite3")
    assert fault_of(caught.value) is (DiskFault.FULL if is_full else DiskFault.OTHER)


def test_what_is_made_to_learn_why_there_is_no_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        schema._say_why_no_log(tmp_path / FILE)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / f"{FILE}-wal").stat().st_mode) == 0o600
