"""`supervisor journal`, beside a running worker and without one. The worker is this process, with a real ledger."""

import asyncio
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from commands_support import (
    Done,
    open_to_look_through,
    supervisor,
    supervisor_as_nobody,
    supervisor_here,
    supervisor_on_a_read_only_disk,
)

from supervisor.commands.journal.output import age_text
from supervisor.journal import Claim, Ledger
from tests.capabilities import NOBODY
from tests.patience import PATIENCE_SECONDS

FILE = "journal.sqlite3"
RESULT = b'{"jobExecutionId": "dead", "status": "success", "result": {"data": {"text": "recognisable"}}}'


def journal(directory: Path, *arguments: str) -> Done:
    return supervisor_here("journal", *arguments, "--state-dir", str(directory))


def journal_apart(directory: Path, *arguments: str) -> Done:
    """Run it in a process of its own: beside a worker, which is this process, and where locks and owners count."""
    return supervisor("journal", *arguments, "--state-dir", str(directory))


@pytest_asyncio.fixture
async def state(tmp_path: Path) -> Path:
    """A state directory without a worker: claim 1 runs, 2 waits, 3 and 4 are dead letters."""
    await (await make(tmp_path / "state")).close()
    return tmp_path / "state"


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Path, Ledger]]:
    """The same, while a worker has it."""
    ledger = await make(tmp_path / "state")
    yield tmp_path / "state", ledger
    await ledger.close()


async def make(directory: Path) -> Ledger:
    ledger = await Ledger.open(directory)
    await ledger.remember("worker_uuid", "w-1")
    jobs = ("running", "waiting", "dead", "dead-too")
    numbers = await ledger.claim([Claim(job, "p/b:1.0.0", "w-1", 1.5e9, "d") for job in jobs])
    for number in numbers[1:]:
        await ledger.store_result(number, RESULT)
    await ledger.mark_dead(numbers[2], "The engine answered a result with 422: 'no \x1b[2Jgood'.")
    await ledger.mark_dead(numbers[3], "The engine answered a result with 400.")
    return ledger


def reasons(directory: Path) -> dict[int, str | None]:
    database = sqlite3.connect(directory / FILE)
    try:
        return dict(database.execute("SELECT number, dead_reason FROM claims"))
    finally:
        database.close()


def check_list(done: Done) -> None:
    assert (done.returncode, done.stderr) == (0, "")
    claims = {claim["number"]: claim for claim in json.loads(done.stdout)["claims"]}
    assert [claims[number]["state"] for number in (1, 2, 3, 4)] == ["running", "waiting", "dead", "dead"]
    assert "422" in claims[3]["reason"]
    assert claims[1]["age_seconds"] > 1e7
    assert claims[3]["age_seconds"] < 1e4
    assert "recognisable" not in done.stdout


def test_the_list_has_all_states_with_age_and_reason_and_no_results(state: Path) -> None:
    check_list(journal_apart(state))
    check_list(journal_apart(state, "list", "--json"))


async def test_it_works_while_the_worker_runs(running: tuple[Path, Ledger]) -> None:
    check_list(journal_apart(running[0], "list"))


def test_a_terminal_gets_a_table_that_can_not_be_repainted_by_what_is_in_it(state: Path) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "supervisor", "journal", "--state-dir", str(state)]
    environment = os.environ | {"COLUMNS": "200", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, env=environment) as process:
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # how a terminal says that nobody is at its other end
            pass
        os.close(master)
    assert process.returncode == 0
    text = shown.decode()
    assert "dead letter" in text
    assert "waits for delivery" in text
    assert "422" in text
    assert "\x1b[2J" not in text
    assert "\\x1b[2J" in text


def test_show_prints_the_stored_result(state: Path) -> None:
    done = journal_apart(state, "show", "3")
    shown = json.loads(done.stdout)
    assert done.returncode == 0
    assert shown["job_id"] == "dead"
    assert shown["result"] == json.loads(RESULT)
    assert json.loads(journal(state, "show", "1").stdout)["result"] is None


def test_retry_makes_a_dead_letter_deliverable(state: Path) -> None:
    done = journal(state, "retry", "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The worker will send 1 dead letter(s) again" in done.stdout
    assert reasons(state)[3] is None
    assert reasons(state)[4] is not None


def test_a_number_that_is_given_twice_is_meant_once(state: Path) -> None:
    done = journal(state, "retry", "3", "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert "will send 1 dead letter(s) again" in done.stdout


def test_drop_removes_dead_letters_alone(state: Path) -> None:
    assert journal(state, "drop", "--all").returncode == 0
    assert list(reasons(state)) == [1, 2]


def test_what_was_dropped_is_in_no_file_any_more(state: Path) -> None:
    database = sqlite3.connect(state / FILE, isolation_level=None)
    database.execute("UPDATE claims SET result = ? WHERE number = 4", (b"only-this-one" * 2000,))
    database.close()
    assert journal_apart(state, "drop", "4").returncode == 0
    assert not any(b"only-this-one" in path.read_bytes() for path in state.iterdir())


async def test_a_running_worker_notices_retry_and_drop(running: tuple[Path, Ledger]) -> None:
    directory, ledger = running
    assert journal_apart(directory, "retry", "3").returncode == 0
    assert journal_apart(directory, "drop", "4").returncode == 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while ledger.known_job_ids() != {"running", "waiting", "dead"} or ledger.result(3) is None:
            await asyncio.sleep(0.02)
    assert [result.number for result in ledger.undelivered()] == [2, 3]


@pytest.mark.parametrize("action", ["retry", "drop"])
def test_only_dead_letters_can_be_changed_and_all_or_none(state: Path, action: str) -> None:
    done = journal_apart(state, action, "1", "2", "3", "77")
    assert done.returncode == 1
    assert "Claim 1 (job running) is no dead letter: the job runs" in done.stderr
    assert "Claim 2 (job waiting) is no dead letter: its result is on its way" in done.stderr
    assert "There is no claim 77" in done.stderr
    assert reasons(state)[3] is not None


async def test_a_damaged_result_is_not_sent_again(state: Path) -> None:
    database = sqlite3.connect(state / FILE, isolation_level=None)
    database.execute("UPDATE claims SET result = CAST('broken' AS BLOB), dead_reason = NULL WHERE number = 3")
    database.close()
    assert journal(state, "drop", "3").returncode == 1  # nobody has marked it yet
    await (await Ledger.open(state)).close()
    done = journal(state, "retry", "3")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert journal(state, "retry", "--all").returncode == 0
    assert {number for number, reason in reasons(state).items() if reason is None} == {1, 2, 4}
    assert journal(state, "drop", "3").returncode == 0
    assert list(reasons(state)) == [1, 2, 4]


@pytest.mark.parametrize("action", [("list",), ("show", "1"), ("retry", "1"), ("drop", "--all")])
def test_where_there_is_no_journal_one_message_says_so_and_none_is_made(
    tmp_path: Path, action: tuple[str, ...]
) -> None:
    done = journal(tmp_path, *action)
    assert done.returncode == 1
    assert done.stderr == (
        f"supervisor journal: There is no journal in {tmp_path} or {tmp_path / 'worker'}. "
        "Give the worker's own directory with --state-dir.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_journal_of_a_newer_version_is_refused(state: Path) -> None:
    database = sqlite3.connect(state / FILE)
    database.execute("PRAGMA user_version = 99")
    database.close()
    done = journal(state)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "newer version" in done.stderr


@pytest.mark.needs("other users")
def test_somebody_else_is_told_whose_the_journal_is(state: Path) -> None:
    open_to_look_through(state)
    state.chmod(0o755)
    done = supervisor_as_nobody("journal", "--state-dir", str(state))
    assert done.returncode == 1, done.stderr
    assert "may not use the journal" in done.stderr
    assert "belongs to user root" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    state.chmod(0o700)
    done = supervisor_as_nobody("journal", "--state-dir", str(state))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "belongs to user root" in done.stderr


@pytest.mark.needs("mounts of root")
async def test_on_a_disk_that_became_read_only_it_is_listed_and_not_changed_and_the_disk_is_named(
    tmp_path: Path,
) -> None:
    for kind in ("closed", "killed"):
        ledger = await make(tmp_path / "made" / kind)
        if kind == "killed":  # with all its claims in the log beside the file
            shutil.copytree(tmp_path / "made" / kind, tmp_path / kind)
        await ledger.close()
        if kind == "closed":
            shutil.copytree(tmp_path / "made" / kind, tmp_path / kind)
        of = ("--state-dir", str(tmp_path / kind))
        check_list(supervisor_on_a_read_only_disk(tmp_path / kind, "journal", "list", *of))
        shown = supervisor_on_a_read_only_disk(tmp_path / kind, "journal", "show", "3", *of)
        assert json.loads(shown.stdout)["result"]["status"] == "success", shown.stderr
        for change in ("retry", "drop"):
            done = supervisor_on_a_read_only_disk(tmp_path / kind, "journal", change, "3", *of)
            assert done.returncode == 1
            assert "can't be changed: its file system is read-only." in done.stderr
            assert "may not use" not in done.stderr


@pytest.mark.needs("other users")
def test_root_leaves_nothing_that_the_owner_could_not_use(state: Path) -> None:
    for path in (state, *state.iterdir()):
        os.chown(path, 65534, 65534)
    database = sqlite3.connect(state / FILE)
    database.execute(
        "SELECT * FROM claims"
    ).fetchall()  # holds the log open, so that it is there to be looked at
    assert journal_apart(state, "retry", "3").returncode == 0
    owners = {path.name: path.stat().st_uid for path in state.iterdir()}
    database.close()
    assert f"{FILE}-wal" in owners
    assert set(owners.values()) == {65534}


def test_a_journal_of_version_1_can_be_looked_at(state: Path) -> None:
    database = sqlite3.connect(state / FILE, isolation_level=None)
    database.execute("ALTER TABLE claims DROP COLUMN finished_at")
    database.execute("ALTER TABLE claims DROP COLUMN checksum")
    database.execute("PRAGMA user_version = 1")
    database.close()
    done = journal(state)
    assert done.returncode == 0, done.stderr
    assert [claim["number"] for claim in json.loads(done.stdout)["claims"]] == [1, 2, 3, 4]


def test_a_file_that_was_moved_aside_is_read_as_far_as_that_goes(state: Path, tmp_path: Path) -> None:
    content = bytearray((state / FILE).read_bytes())
    content[100 + 4096 :] = content[100 + 4096 :][: len(content) // 2]  # cut off, as by a disk that ended
    (tmp_path / "aside").write_bytes(content)
    done = supervisor_here("journal", "list", "--file", str(tmp_path / "aside"))
    assert done.returncode == 0, done.stderr
    assert "claims" in json.loads(done.stdout)
    missing = supervisor_here("journal", "show", "1", "--file", str(tmp_path / "none"))
    assert missing.returncode == 1
    assert f"There is no file {tmp_path / 'none'}." in missing.stderr
    refused = supervisor_here("journal", "drop", "--all", "--file", str(tmp_path / "aside"))
    assert refused.returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("frob",),
        ("show",),
        ("retry",),
        ("drop",),
        ("show", "x"),
        ("list", "3"),
        ("--all",),
        ("retry", "3", "--all"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = journal(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("supervisor journal: ")
    assert "Try 'supervisor journal --help'." in done.stderr


def test_the_state_directory_comes_from_the_environment_as_for_the_daemon(state: Path) -> None:
    done = supervisor("journal", NEOPS_STATE_DIR=str(state), NEOPS_ALL="true", NEOPS_JSON="x", NEOPS_FILE="y")
    check_list(done)


def test_ages_are_told_in_two_units() -> None:
    ages = [age_text(seconds) for seconds in (0, 59.9, 61, 3700, 90000, -5)]
    assert ages == ["0 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h", "0 s"]


def under(home: Path, *arguments: str) -> Done:
    return supervisor_here("journal", *arguments, XDG_STATE_HOME=str(home), STATE_DIRECTORY="")


async def test_the_journal_of_a_local_worker_is_found_without_a_flag_and_by_the_directory_that_local_has(
    tmp_path: Path,
) -> None:
    local = tmp_path / "neops-local"
    await (await make(local / "worker")).close()
    check_list(under(tmp_path))
    check_list(under(tmp_path, "--state-dir", str(local)))
    done = under(tmp_path, "drop", "3")
    assert (done.returncode, done.stderr) == (0, "")


async def test_of_two_journals_the_daemon_s_is_listed_the_other_named_and_none_changed(
    tmp_path: Path,
) -> None:
    daemon, local = tmp_path / "neops-supervisor", tmp_path / "neops-local" / "worker"
    await (await make(daemon)).close()
    await (await make(local)).close()
    listed = under(tmp_path)
    assert json.loads(listed.stdout)["journal"] == str(daemon / FILE)
    assert f"There is another journal, {local / FILE}: see it with --state-dir {local}." in listed.stderr
    refused = under(tmp_path, "drop", "3")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"Say which one is meant: --state-dir {daemon} or {local}." in refused.stderr
    assert reasons(daemon).keys() == reasons(local).keys() == {1, 2, 3, 4}
    assert under(tmp_path, "drop", "3", "--state-dir", str(local)).returncode == 0
    assert (3 in reasons(daemon), 3 in reasons(local)) == (True, False)


def test_where_there_is_no_journal_every_place_that_was_looked_at_is_named(tmp_path: Path) -> None:
    said = under(tmp_path).stderr
    for place in ("neops-supervisor", "neops-local/worker"):
        assert str(tmp_path / place) in said


def test_a_mistyped_action_leads_to_the_nearest_one(tmp_path: Path) -> None:
    done = under(tmp_path, "rety", "1")
    assert (done.returncode, "Did you mean retry?" in done.stderr) == (2, True)


@pytest_asyncio.fixture
async def copied(state: Path) -> Path:
    """A copy of it, with what a start on the copy leaves: claim 1 is set aside."""
    copy = state.with_name("copy")
    shutil.copytree(state, copy)
    return copy


async def started(directory: Path) -> None:
    """Do with the past what a worker does at its start, registered as w-2."""
    ledger = await Ledger.open(directory)
    await ledger.remember("worker_uuid", "w-2")
    await ledger.set_aside([entry.number for entry in ledger.interrupted()], "it may be a copy")
    await ledger.settle_doubt()
    await ledger.close()


def test_adopting_says_what_it_means_and_changes_nothing_without_yes(copied: Path) -> None:
    before = reasons(copied), (copied / "place").read_bytes()
    done = journal(copied, "adopt")
    assert (done.returncode, done.stderr) == (1, "")
    for text in ("may be a copy", "another directory", "worker w-1 again", "1 claim(s)", "--yes"):
        assert text in done.stdout
    assert (reasons(copied), (copied / "place").read_bytes()) == before


async def test_a_directory_that_was_adopted_is_the_same_worker_with_the_same_claims(copied: Path) -> None:
    assert journal(copied, "adopt", "--yes").returncode == 0
    ledger = await Ledger.open(copied)
    assert (ledger.doubt, await ledger.fact("worker_uuid")) == (None, "w-1")
    assert [entry.claim.job_id for entry in ledger.interrupted()] == ["running"]
    await ledger.close()
    done = journal(copied, "adopt", "--yes")
    assert (done.returncode, "Nothing is to be done" in done.stdout) == (0, True)


async def test_claims_that_a_start_has_set_aside_are_listed_and_adopted_as_the_new_worker_s(
    copied: Path,
) -> None:
    await started(copied)
    claims = json.loads(journal(copied).stdout)["claims"]
    assert [claim["reason"] for claim in claims if claim["state"] == "set aside"] == ["it may be a copy"]
    assert "adopt" in journal(copied, "retry", "1").stderr
    assert journal(copied, "drop", "--all").returncode == 0
    assert list(reasons(copied)) == [1, 2]
    done = journal(copied, "adopt", "--yes")
    assert (done.returncode, "stays worker w-2" in done.stdout) == (0, True)
    ledger = await Ledger.open(copied)
    assert [entry.claim.job_id for entry in ledger.interrupted()] == ["running"]
    await ledger.close()


async def test_a_claim_that_is_set_aside_can_be_dropped(copied: Path) -> None:
    await started(copied)
    assert journal(copied, "drop", "1").returncode == 0
    assert 1 not in reasons(copied)


async def test_nothing_is_adopted_while_a_worker_runs_on_it(copied: Path) -> None:
    ledger = await Ledger.open(copied)
    done = journal_apart(copied, "adopt", "--yes")
    assert (done.returncode, "Stop it" in done.stderr) == (1, True)
    await ledger.close()


def test_yes_and_numbers_are_refused_where_they_mean_nothing(state: Path) -> None:
    for arguments in (("list", "--yes"), ("adopt", "1"), ("adopt", "--file", "x")):
        assert journal(state, *arguments).returncode == 2


@pytest.fixture
def of_a_service(copied: Path) -> Path:
    """The copy as systemd keeps that of a service: another user's, in a directory that only root may enter."""
    closed = copied.parent / "private"
    closed.mkdir(mode=0o700)
    directory = copied.rename(closed / "neops-supervisor")
    (directory / "lock").unlink()
    for path in (directory, *directory.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    copied.symlink_to(directory)
    return copied


@pytest.mark.needs("other users")
async def test_root_adopts_the_directory_of_a_service_and_leaves_nothing_there_that_this_can_not_use(
    of_a_service: Path,
) -> None:
    assert "To do it, add --yes." in journal_apart(of_a_service, "adopt").stdout
    done = journal_apart(of_a_service, "adopt", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"The state directory is {of_a_service}." in done.stdout
    directory = of_a_service.resolve()
    owners = {path.name: path.stat().st_uid for path in (directory, *directory.rglob("*"))}
    assert {"lock", "place", FILE} <= owners.keys()
    assert {name: owner for name, owner in owners.items() if owner != NOBODY} == {}
    for path in (directory, *directory.rglob("*")):  # the service is this process
        os.chown(path, os.geteuid(), -1)
    ledger = await Ledger.open(directory)
    assert (ledger.doubt, await ledger.fact("worker_uuid")) == (None, "w-1")
    assert [entry.claim.job_id for entry in ledger.interrupted()] == ["running"]
    await ledger.close()


@pytest.mark.needs("other users")
@pytest.mark.parametrize("name", ["lock", "place", "place.new"])
def test_a_link_of_the_owner_s_leads_root_nowhere(of_a_service: Path, name: str) -> None:
    of_root = of_a_service.parent / "of-root"
    of_root.mkdir(mode=0o700)
    (of_root / "there").write_text("of root")
    for target in ("there", "new"):
        link = of_a_service / name
        link.unlink(missing_ok=True)
        link.symlink_to(of_root / target)
        done = journal_apart(of_a_service, "adopt", "--yes")
        assert (done.returncode == 0) == (name == "place.new"), done.stderr
        assert "/proc/" not in done.stdout + done.stderr
        assert {path.name: path.read_text() for path in of_root.iterdir()} == {"there": "of root"}
