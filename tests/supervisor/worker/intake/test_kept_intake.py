"""A pause in the journal: whose it is, and when it is forgotten."""

import asyncio
import shutil
import sqlite3
from functools import partial
from pathlib import Path

from supervisor.journal import Ledger
from supervisor.lifecycle.intake import Left
from supervisor.worker.intake import Intake
from supervisor.worker.kept_intake import INTAKE_FACT, forgotten_when_stopped, restore_when_read, take_kept
from tests.patience import until


def written(directory: Path) -> str:
    """Return what the file has, as a start after a kill would find it."""
    connection = sqlite3.connect(directory / "journal.sqlite3")
    try:
        ((value,),) = connection.execute("SELECT value FROM facts WHERE name = ?", (INTAKE_FACT,))
    finally:
        connection.close()
    return str(value)


async def paused_in(directory: Path) -> Ledger:
    journal = await Ledger.open(directory)
    await journal.remember(INTAKE_FACT, "paused")
    return journal


async def test_it_is_forgotten_when_the_stop_begins_so_that_a_kill_of_the_stop_changes_nothing(
    tmp_path: Path,
) -> None:
    journal, wanted = await paused_in(tmp_path), asyncio.Event()
    async with forgotten_when_stopped(journal, wanted):
        assert written(tmp_path) == "paused"
        wanted.set()
        await until(lambda: written(tmp_path) == "", "it is forgotten while the worker still stops")
    await journal.close()


async def test_a_worker_that_ends_by_a_failure_keeps_it_and_one_that_is_stopped_at_its_start_does_not(
    tmp_path: Path,
) -> None:
    journal, wanted = await paused_in(tmp_path), asyncio.Event()
    async with forgotten_when_stopped(journal, wanted):
        pass
    assert written(tmp_path) == "paused"
    async with forgotten_when_stopped(journal, wanted):
        wanted.set()
    assert written(tmp_path) == ""
    await journal.close()


async def test_a_copy_of_the_state_directory_is_not_paused_then_or_later(tmp_path: Path) -> None:
    original = await paused_in(tmp_path / "original")
    await original.close()
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copy = await Ledger.open(tmp_path / "copy")
    assert copy.doubt is not None
    assert await take_kept(copy) == ""
    await copy.close()
    assert written(tmp_path / "copy") == ""
    original = await Ledger.open(tmp_path / "original")
    assert await take_kept(original) == "paused"
    await original.close()


async def test_a_pause_in_a_journal_that_a_start_could_not_read_goes_on_as_soon_as_it_is_read(
    tmp_path: Path,
) -> None:
    journal = await Ledger.open(tmp_path)
    intake = Intake(Left, lambda: None, lambda: None, keep=partial(journal.remember, INTAKE_FACT))
    intake.pause("a person", "the disk is replaced")
    await intake.recorded()
    await intake.close()
    await journal.close()
    database = sqlite3.connect(tmp_path / "journal.sqlite3", isolation_level=None)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("BEGIN EXCLUSIVE")
    journal = await Ledger.open(tmp_path, mend_seconds=0.05)
    assert not journal.knows_the_last_run
    intake = Intake(Left, lambda: None, lambda: None, keep=partial(journal.remember, INTAKE_FACT))
    intake.restore(await take_kept(journal))
    assert intake.is_open, "it can not be known yet"
    late = asyncio.create_task(restore_when_read(journal, intake))
    database.close()
    await late
    assert not intake.is_open
    await intake.close()
    await journal.close()
    assert "the disk is replaced" in written(tmp_path)
