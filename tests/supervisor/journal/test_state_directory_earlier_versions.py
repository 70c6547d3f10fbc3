"""The state directory of every earlier version is taken over: no job, no result and no uuid is lost."""

import shutil
import stat
from pathlib import Path

import pytest
from journal_support import FILE, raw

from supervisor.commands.journal import command as journal_command
from supervisor.journal import Ledger
from supervisor.journal.schema import SCHEMA_VERSION

KEPT = Path(__file__).with_name("state_directories")
VERSIONS = range(1, SCHEMA_VERSION + 1)


@pytest.fixture(params=VERSIONS)
def taken_over(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the directory that a version has left."""
    directory = tmp_path / "state"
    shutil.copytree(KEPT / f"schema_{request.param}", directory)
    directory.chmod(stat.S_IRWXU)
    assert raw(directory, "PRAGMA user_version") == [(request.param,)]
    return directory


def test_there_is_a_directory_of_every_version() -> None:
    assert sorted(path.name for path in KEPT.iterdir() if path.is_dir()) == [f"schema_{n}" for n in VERSIONS]


async def test_what_an_earlier_version_has_left_is_there(taken_over: Path) -> None:
    ledger = await Ledger.open(taken_over)
    try:
        assert [entry.claim.job_id for entry in ledger.interrupted()] == ["interrupted"]
        assert [result.job_id for result in ledger.undelivered()] == ["undelivered"]
        assert b'"success": true' in ledger.undelivered()[0].text
        assert await ledger.fact("worker_uuid") == "w-1"
    finally:
        await ledger.close()
    assert raw(taken_over, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert stat.S_IMODE((taken_over / FILE).stat().st_mode) == 0o600


def test_a_result_that_the_engine_had_refused_can_still_be_listed(
    taken_over: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert journal_command.run(["list", "--state-dir", str(taken_over), "--json"]) == 0
    said = capsys.readouterr().out
    assert '"refused"' in said
    assert "The engine refused it (400)." in said


async def test_what_this_version_writes_into_it_is_read_at_the_next_start(taken_over: Path) -> None:
    ledger = await Ledger.open(taken_over)
    number = ledger.interrupted()[0].number
    await ledger.store_result(number, b'{"jobExecutionId": "interrupted"}')
    await ledger.close()
    again = await Ledger.open(taken_over)
    try:
        assert {result.job_id for result in again.undelivered()} == {"interrupted", "undelivered"}
        assert again.interrupted() == []
    finally:
        await again.close()
