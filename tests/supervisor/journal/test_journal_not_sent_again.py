"""A result that is over, and that the journal could not forget, is not sent after a kill. All others are (I1, I8)."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from journal_support import FILE, ROOT, claim, raw

from supervisor.journal import Ledger
from supervisor.journal.accepted_results import FILE as NAMES
from supervisor.log.events.results import AcceptedResultDropped
from tests.capabilities import mounting
from tests.log_events import told
from tests.patience import PATIENCE_SECONDS, until

SCENARIO: Final = Path(__file__).with_name("accepting_scenario.py")
MOST_STEPS: Final = 50
ACCEPTED: Final[dict[str, Any]] = {"step": "accepted"}
CLAIMED: Final[dict[str, Any]] = {"step": "claimed", "is_in_trouble": True}


def said_by(command: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a run of the scenario has said until it was killed, or several have."""
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode in (-9, 128 + 9), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(directory: Path, *arguments: str) -> list[dict[str, Any]]:
    return said_by([sys.executable, str(SCENARIO), str(directory), *arguments])


def started(directory: Path) -> dict[str, Any]:
    """What the next start says."""
    (said,) = run(directory, "start")
    return said


def names_in(directory: Path) -> int:
    content = (directory / NAMES).read_bytes()
    return sum(any(content[at : at + 32]) for at in range(32, len(content), 32))


async def on_disk(ledger: Ledger, statement: str) -> None:
    """Run a statement on the writer's own connection, outside of any transaction."""
    writer = ledger._durable_copy.journal._writer

    def work() -> None:
        assert writer.database is not None
        writer.database.execute(statement)

    await writer.call(work)


def test_a_result_that_was_accepted_while_the_disk_took_nothing_is_not_sent_after_a_kill(
    tmp_path: Path,
) -> None:
    assert run(tmp_path, "accept", "file") == [ACCEPTED, CLAIMED]
    rows = raw(tmp_path, "SELECT job_id, result FROM claims ORDER BY number")
    assert rows == [("job", b"first"), ("other", b"other")]
    for _ in range(2):
        assert started(tmp_path) == {"sends": ["other"], "knows": True, "names": 0}
        assert raw(tmp_path, "SELECT job_id FROM claims") == [("other",)]


@pytest.mark.needs("mounts")
def test_on_a_disk_that_is_really_full_it_is_not_sent_before_there_is_room_nor_after(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    deeds = ("accept disk", "start", "", "start", "start")
    steps = [f'"$0" "$1" "$2" {deed}' if deed else 'rm "$2/filler"' for deed in deeds]
    mounted = mounting(f"mount -t tmpfs -o size=2m,mode=0700 tmpfs '{state}'")
    said = said_by([*mounted, "sh", "-c", "; ".join(steps), sys.executable, str(SCENARIO), str(state)])
    accepted, claimed, full, freed, last = said
    assert (accepted, claimed) == (ACCEPTED, CLAIMED)
    # SQLite may need room to open the file: what could not be read is not sent either.
    assert full["sends"] == (["other"] if full["knows"] else [])
    assert freed == last == {"sends": ["other"], "knows": True, "names": 0}


def test_a_kill_at_any_step_of_the_run_loses_no_result_and_sends_none_whose_job_may_run_again(
    tmp_path: Path,
) -> None:
    step, said = 0, [ACCEPTED]
    for step in range(1, MOST_STEPS):
        directory = tmp_path / str(step)
        directory.mkdir()
        said = run(directory, "accept", "file", str(step))
        sends = started(directory)["sends"]
        assert sends in (["other"], ["first", "other"])
        assert started(directory)["sends"] == sends
        if said[-1] == CLAIMED:  # the new try may begin
            assert sends == ["other"]
            break
    assert said[-1] == CLAIMED
    assert step > 4  # it was killed before and after each write


def test_a_kill_at_any_step_of_the_start_leaves_it_to_the_next_one(tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    run(killed, "accept", "file")
    step, said = 0, [ACCEPTED]
    for step in range(1, MOST_STEPS):
        directory = tmp_path / str(step)
        shutil.copytree(killed, directory)
        said = run(directory, "start", str(step))
        again = started(directory)
        assert (again["sends"], again["names"]) == (["other"], 0)
        if said:
            break
    assert said
    assert step > 3


async def test_only_rows_that_the_file_holds_are_named_and_only_until_they_are_removed(
    tmp_path: Path,
) -> None:
    """A disk that is full for long must not use up all places for jobs that it never had."""
    ledger = await Ledger.open(tmp_path, mend_seconds=60)
    old, other = await ledger.claim([claim("old"), claim("other")])
    await on_disk(ledger, "PRAGMA query_only = ON")
    new = await ledger.claim([claim("new")] * 5)
    for number in (*new, old):
        await ledger.store_result(number, b"{}")
        ledger.forget(number)
    await ledger._durable_copy.removals.finish()
    assert names_in(tmp_path) == 1
    await on_disk(ledger, "PRAGMA query_only = OFF")
    ledger._durable_copy._wake.set()
    await until(lambda: ledger.is_whole and not names_in(tmp_path), "it is removed, and named no more")
    assert raw(tmp_path, "SELECT number FROM claims") == [(other,)]
    await ledger.close()


async def test_what_is_named_is_told_and_a_later_result_of_its_job_is_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ledger = await Ledger.open(tmp_path, mend_seconds=60)
    first, second = await ledger.claim([claim("job"), claim("running")])
    await ledger.store_result(first, b"first")
    await on_disk(ledger, "PRAGMA query_only = ON")
    ledger.forget(first)
    ledger.forget(second)
    await ledger._durable_copy.removals.finish()
    killed = tmp_path / "killed"
    killed.mkdir()
    for name in (FILE, f"{FILE}-wal", NAMES):
        shutil.copy(tmp_path / name, killed / name)
    await on_disk(ledger, "PRAGMA query_only = OFF")
    await ledger.close()
    assert told(caplog, AcceptedResultDropped) == []
    ledger = await Ledger.open(killed)
    dropped = told(caplog, AcceptedResultDropped)
    assert dropped == [{"job": "job", "claim": first}, {"job": "running", "claim": second}]
    assert (ledger.undelivered(), ledger.interrupted(), ledger.known_job_ids()) == ([], [], set())
    (later,) = await ledger.claim([claim("job")])
    assert later > second
    await ledger.store_result(later, b"later")
    await ledger.close()
    ledger = await Ledger.open(killed)
    assert [result.text for result in ledger.undelivered()] == [b"later"]
    await ledger.close()


async def test_what_is_named_is_not_taken_from_a_damaged_file_either(tmp_path: Path) -> None:
    run(tmp_path, "accept", "file")
    database = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    database.execute("PRAGMA writable_schema = ON")
    database.execute("UPDATE sqlite_schema SET sql = replace(sql, 'digest      TEXT', 'digest      INTEGER')")
    database.close()
    ledger = await Ledger.open(tmp_path, mend_seconds=0.05)
    await until(lambda: ledger.is_whole, "a new file is in use")
    assert [result.text for result in ledger.undelivered()] == [b"other"]
    assert raw(tmp_path, "SELECT job_id FROM claims") == [("other",)]
    assert names_in(tmp_path) == 0
    await ledger.close()


async def test_a_row_that_is_over_while_the_file_is_not_open_is_named(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=60)
    copy = ledger._durable_copy
    first, _ = await ledger.claim([claim("job"), claim("other")])
    copy._is_open = False  # as while it can't be opened again
    (new,) = await ledger.claim([claim("new")])
    ledger.forget(first)
    ledger.forget(new)
    await copy.removals.finish()
    await copy.do(lambda: None)  # done after it, by the same thread
    assert names_in(tmp_path) == 1
    copy._is_open = True
    await ledger.close()
    assert names_in(tmp_path) == 0
    assert raw(tmp_path, "SELECT job_id FROM claims") == [("other",)]


async def test_a_row_that_was_given_another_number_is_not_named(tmp_path: Path) -> None:
    """Its result is in the file under the old one, until it is there under the new one too."""
    ledger = await Ledger.open(tmp_path, mend_seconds=60)
    (number,) = await ledger.claim([claim("job")])
    await on_disk(ledger, "PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await ledger._durable_copy.journal.remove(ledger._claims._rows[number].entry)
    assert names_in(tmp_path) == 0
    await on_disk(ledger, "PRAGMA query_only = OFF")
    await ledger.close()


async def test_a_directory_that_is_made_anew_has_the_file_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    ledger = await Ledger.open(state, mend_seconds=0.02)
    await ledger.claim([claim("a")])
    await asyncio.to_thread(shutil.rmtree, state)
    await until(lambda: (state / NAMES).exists() and ledger.is_whole, "the journal is whole again")
    assert (state / NAMES).stat().st_size == 32 * 1024
    await ledger.close()


async def test_a_job_whose_id_can_not_be_stored_ends_the_journal_for_no_other(tmp_path: Path) -> None:
    ledger = await Ledger.open(tmp_path, mend_seconds=60)
    odd, _ = await ledger.claim([claim("job\ud800"), claim("other")])
    ledger.forget(odd)
    await ledger._durable_copy.removals.finish()
    await ledger.claim([claim("later")])
    assert names_in(tmp_path) == 0
    await ledger.close()
    assert raw(tmp_path, "SELECT job_id FROM claims") == [("other",), ("later",)]
