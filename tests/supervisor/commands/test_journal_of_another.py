"""`supervisor journal` by root of another user's: it works as that user would, and no way leads to what is root's."""

import json
import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio
from commands_support import Done, open_to_look_through, supervisor
from test_journal_command import FILE, check_list, journal_apart, make, reasons

from tests.capabilities import NOBODY

pytestmark = pytest.mark.needs("other users")

THEIRS = NOBODY - 1
MAGIC = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
"""How each journal of SQLite begins, and how the name of a super-journal ends."""


@pytest_asyncio.fixture(params=["in a place of theirs", "below a directory that only root may enter"])
async def theirs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A state directory of another user: claim 1 runs, 2 waits, 3 and 4 are dead letters."""
    state = tmp_path / "place" / "state"
    await (await make(state)).close()
    for path in (state, *state.rglob("*")):
        os.chown(path, THEIRS, THEIRS)
    open_to_look_through(state)
    state.parent.chmod(0o755 if request.param == "in a place of theirs" else 0o700)
    return state


@pytest_asyncio.fixture
async def of_root(tmp_path: Path) -> Path:
    """A journal of root's, which no other user can read."""
    await (await make(tmp_path / "of-root")).close()
    return tmp_path / "of-root"


def of_root_in(state: Path) -> list[str]:
    return [path.name for path in (state, *state.rglob("*")) if path.lstat().st_uid == 0]


def test_all_claims_are_listed_retried_and_dropped_and_no_file_there_is_root_s(theirs: Path) -> None:
    check_list(journal_apart(theirs, "list"))
    check_list(supervisor("journal", "list", "--file", str(theirs / FILE)))
    assert json.loads(journal_apart(theirs, "show", "3").stdout)["job_id"] == "dead"
    assert of_root_in(theirs) == []
    reader = sqlite3.connect(theirs / FILE)  # while it is open, the log stays there to be looked at
    assert reader.execute("SELECT count(*) FROM claims").fetchall() == [(4,)]
    for action, number in (("retry", "3"), ("drop", "4")):
        done = journal_apart(theirs, action, number)
        assert (done.returncode, done.stderr) == (0, "")
    assert (theirs / f"{FILE}-wal").exists()
    assert of_root_in(theirs) == []
    reader.close()
    assert reasons(theirs) == {1: None, 2: None, 3: None}


def test_what_the_owner_may_not_write_is_not_written_for_him(theirs: Path) -> None:
    (theirs / FILE).chmod(0o400)
    done = journal_apart(theirs, "drop", "--all")
    assert done.returncode == 1
    assert f"user {THEIRS} may not use the journal" in done.stderr
    assert f"chmod u+rw {theirs / FILE}" in done.stderr
    (theirs / FILE).chmod(0o600)
    assert journal_apart(theirs, "drop", "--all").returncode == 0


def link(state: Path, of_root: Path) -> None:
    (state / FILE).unlink()
    (state / FILE).symlink_to(of_root / FILE)
    os.chown(state / FILE, THEIRS, THEIRS, follow_symlinks=False)


def other_name(state: Path, of_root: Path) -> None:
    (state / FILE).unlink()
    os.link(of_root / FILE, state / FILE)


def log_of_root_s(state: Path, of_root: Path) -> None:
    (state / f"{FILE}-wal").symlink_to(of_root / FILE)


@pytest.mark.parametrize("trick", [link, other_name, log_of_root_s])
def test_what_is_root_s_alone_is_not_opened_for_its_name_there_and_nothing_of_it_is_shown_or_changed(
    theirs: Path, of_root: Path, trick: Callable[[Path, Path], None]
) -> None:
    trick(theirs, of_root)
    before = {path.name: path.read_bytes() for path in of_root.iterdir()}
    refused: list[Done] = [
        journal_apart(theirs, *action)
        for action in (("list",), ("show", "3"), ("retry", "3"), ("drop", "--all"))
    ]
    refused.append(supervisor("journal", "list", "--file", str(theirs / FILE)))
    for done in refused:
        assert (done.returncode, done.stdout) == (1, "")
        assert "is a link, no ordinary file, or not that of user" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in of_root.iterdir()} == before


@pytest.mark.parametrize("action", ["list", "retry", "list --file"])
def test_a_file_of_root_s_that_a_journal_there_names_to_be_removed_stays(
    theirs: Path, of_root: Path, action: str
) -> None:
    """A super-journal: SQLite takes what is beside the file for the rest of a change to several files, and ends it."""
    meant = of_root / "meant"
    meant.write_bytes(b"of root")
    name = os.fsencode(meant)
    ending = name + struct.pack(">II", len(name), sum(name)) + MAGIC
    planted = theirs / f"{FILE}-journal"
    planted.write_bytes(MAGIC + bytes(504) + ending)
    os.chown(planted, THEIRS, THEIRS)
    if action == "list --file":
        supervisor("journal", "list", "--file", str(theirs / FILE))
    else:
        journal_apart(theirs, *({"list": ("list",), "retry": ("retry", "--all")}[action]))
    assert meant.read_bytes() == b"of root"
    assert of_root_in(theirs) == []
