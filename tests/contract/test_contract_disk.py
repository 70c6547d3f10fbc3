"""A worker whose disk fills up or whose journal is damaged, and a person who settles dead letters (I1, I12)."""

import asyncio
import contextlib
import json
import os
import select
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from contract_support import ECHO, SLOW, Setup
from contract_worker import ROOT, Worker

from sdk.devengine import DevEngine, Fault
from supervisor.commands.control.settings import NOT_ON_DISK
from supervisor.log.events.intake import IntakeKept
from supervisor.log.events.results import (
    FailedResultRefused,
    JournalFailing,
    JournalReplaced,
    JournalRestored,
    ResultRefused,
)
from supervisor.log.events.worker import ClaimsLost
from tests.capabilities import entering, mounting
from tests.patience import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

FILE = "journal.sqlite3"
FLAGS = ("--max-concurrent-jobs", "2", "--function-blocks", "blocks.testing")


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """A directory for a worker, and a prefix with which its state is on a disk of 2 MiB."""
    state = tmp_path / "worker" / "state"
    state.mkdir(parents=True)
    return state, mounting(f"mount -t tmpfs -o size=2m,mode=0700 tmpfs '{state}'")


def fill(disk: Path) -> None:
    """Write until nothing is free."""
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass
    assert os.statvfs(disk).f_bfree == 0


async def test_jobs_are_run_and_delivered_while_the_disk_is_full_and_the_journal_is_mended_after(
    engine: DevEngine, small_disk: tuple[Path, tuple[str, ...]], start_worker: Callable[..., Worker]
) -> None:
    state, prefix = small_disk
    setup = Setup(engine, start_worker(engine.url, *FLAGS, prefix=prefix))
    await setup.worker.ready()
    assert await setup.works()
    # Seen through the worker's own root, as the disk is mounted for it alone.
    disk = Path(f"/proc/{setup.worker.supervisor_pid}/root{state}")
    fill(disk)
    engine.faults.add(Fault("result", status=503, times=1000))
    kept = [engine.submit(block=ECHO, parameters={"text": "x" * 40_000}) for _ in range(4)]
    line = await setup.logged(JournalFailing)
    assert " ERROR " in line
    assert "Free some space" in line
    await until(lambda: all(setup.results_of(job_id) for job_id in kept), "all were tried")
    (disk / "filler").unlink()
    await setup.logged(JournalRestored)
    # In the worker's mount namespace: SQLite resolves links by itself, and so does not follow this one.
    command = [*entering(setup.worker.supervisor_pid), sys.executable, "-m", "supervisor"]
    command += ["journal", "--state-dir", str(state)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert all(job_id in done.stdout for job_id in kept), done.stderr
    assert len(setup.lines(JournalFailing)) == 1
    engine.faults.clear()
    for job_id in kept:
        assert (await setup.result(job_id))["status"] == "success"


async def test_a_pause_and_its_end_that_a_full_disk_does_not_take_are_told_as_not_on_the_disk(
    engine: DevEngine, small_disk: tuple[Path, tuple[str, ...]], start_worker: Callable[..., Worker]
) -> None:
    state, prefix = small_disk
    setup = Setup(engine, start_worker(engine.url, *FLAGS, prefix=prefix))
    await setup.worker.ready()
    disk = Path(f"/proc/{setup.worker.supervisor_pid}/root{state}")
    command = [*entering(setup.worker.supervisor_pid), sys.executable, "-m", "supervisor"]

    async def said(*words: str) -> str:
        words = (*command, *words, "--state-dir", str(state))
        done = await asyncio.to_thread(
            subprocess.run, words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    assert NOT_ON_DISK not in await said("pause", "--note", "x" * 100)
    fill(disk)
    for _ in range(20):  # the log beside the journal may have room for some more
        first = NOT_ON_DISK in await said("resume")
        if NOT_ON_DISK in await said("pause", "--note", "x" * 100) and first:
            break
    assert NOT_ON_DISK in await said("resume")
    assert NOT_ON_DISK in await said("drain", "--wait")
    assert json.loads(await said("resume", "--json"))["on_disk"] is False
    (disk / "filler").unlink()
    await setup.logged(JournalRestored)
    assert NOT_ON_DISK not in await said("pause")


async def test_a_worker_starts_with_a_full_disk_and_mends_its_journal(
    engine: DevEngine, small_disk: tuple[Path, tuple[str, ...]], start_worker: Callable[..., Worker]
) -> None:
    state, prefix = small_disk
    *head, script, name = prefix
    filled = script.replace(
        "exec", f"{{ head -c 8000000 /dev/zero > '{state}/filler' 2>/dev/null || true; }} && exec"
    )
    setup = Setup(engine, start_worker(engine.url, *FLAGS, prefix=(*head, filled, name)))
    await setup.worker.ready()
    assert setup.lines(JournalFailing)
    assert await setup.works()
    Path(f"/proc/{setup.worker.supervisor_pid}/root{state}/filler").unlink()
    await setup.logged(JournalRestored)
    assert await setup.works()


async def test_a_worker_starts_with_a_damaged_journal_and_says_where_it_is(
    engine: DevEngine, start_worker: Callable[..., Worker], tmp_path: Path
) -> None:
    state = tmp_path / "worker" / "state"
    state.mkdir(parents=True, mode=0o700)
    (state / FILE).write_bytes(b"no database " * 1000)
    setup = Setup(engine, start_worker(engine.url, *FLAGS))
    await setup.worker.ready()
    line = await setup.logged(JournalReplaced)
    assert f"{state / FILE}.corrupt-2" in line
    assert await setup.works()
    (aside,) = state.glob("*.corrupt-*Z")
    assert aside.read_bytes() == b"no database " * 1000


async def with_a_result_that_is_refused(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> tuple[Setup, str]:
    """Return a worker that keeps a result which the engine does not take now, and the id of its job."""
    setup = Setup(engine, start_worker(engine.url, *FLAGS))
    await setup.worker.ready()
    engine.faults.add(Fault("result", status=503, times=1000))
    kept = engine.submit(block=ECHO, parameters={"text": "kept"})
    await until(lambda: setup.results_of(kept), "a first try")
    return setup, kept


async def test_a_journal_that_is_damaged_under_a_running_worker_is_replaced_and_nothing_is_lost(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> None:
    setup, kept = await with_a_result_that_is_refused(engine, start_worker)
    running = engine.submit(block=SLOW, parameters={"seconds": 30})
    await setup.started(running)
    # A write that is under way would leave the files as it knows them, and nothing would look damaged.
    await until(lambda: setup.claims_on_disk() == 2, "both claims are on the disk")
    (uuid,) = [worker.uuid for worker in engine.workers()]
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        path = setup.worker.state_dir / name
        path.write_bytes(b"\xa5" * path.stat().st_size)
    engine.submit(block=ECHO, parameters={"text": "the next write"})
    await setup.logged(JournalReplaced)
    database_has_both = [
        sys.executable,
        "-m",
        "supervisor",
        "journal",
        "--state-dir",
        str(setup.worker.state_dir),
    ]

    def listed() -> bool:
        done = subprocess.run(
            database_has_both, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        return kept in done.stdout and running in done.stdout

    while not await asyncio.to_thread(listed):
        assert setup.worker.runs
    supervisor = os.pidfd_open(setup.worker.supervisor_pid)
    os.kill(setup.worker.keeper_pid, 9)
    await setup.worker.exit_code()
    # The supervisor ends after its keeper, and until then the directory is its own.
    await until(lambda: select.select([supervisor], [], [], 0)[0], "the supervisor has ended", 30)
    os.close(supervisor)
    engine.faults.clear()
    successor = Setup(engine, start_worker(engine.url, *FLAGS))
    await successor.worker.ready()
    assert (await successor.result(kept))["result"]["data"] == {"text": "kept"}
    assert "ended while the job ran" in (await successor.result(running))["result"]["message"]
    assert [worker.uuid for worker in engine.workers()] == [uuid]


async def test_a_dead_letter_is_sent_again_by_the_running_worker_when_a_person_says_so(fresh: Setup) -> None:
    fresh.engine.faults.add(Fault("result", status=422, times=2))  # also what is sent in its place
    job_id = fresh.engine.submit(block=ECHO, parameters={"text": "again"})
    line = await fresh.logged(ResultRefused, job_id)
    await fresh.logged(FailedResultRefused, job_id)
    number = line.partition("supervisor journal show ")[2].split("`")[0]
    command = [sys.executable, "-m", "supervisor", "journal", "retry", number]
    command += ["--state-dir", str(fresh.worker.state_dir)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    assert (await fresh.result(job_id, PATIENCE_SECONDS))["result"]["data"] == {"text": "again"}
    bodies = [request.body_text for request in fresh.results_of(job_id)]
    assert bodies[0] == bodies[2] != bodies[1]


async def test_a_worker_whose_journal_was_destroyed_is_still_itself_and_reports_what_it_had(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> None:
    """Of the journal nothing can be read. The engine knows what this worker had, if it comes by its own name."""
    setup = Setup(engine, start_worker(engine.url, *FLAGS))
    await setup.worker.ready()
    (record,) = engine.workers()
    job_id = engine.submit(block="neops_testing/hang_sleep:1.0.0")
    await setup.started(job_id)
    setup.worker.kill()
    (setup.worker.state_dir / FILE).write_bytes(os.urandom(20_000))
    (setup.worker.state_dir / f"{FILE}-wal").write_bytes(b"")
    again = Setup(engine, start_worker(engine.url, *FLAGS))
    await again.worker.ready()
    result = await again.result(job_id, seconds=PATIENCE_SECONDS)
    assert (result["status"], [worker.uuid for worker in engine.workers()]) == ("failed", [record.uuid])
    assert "may have done a part of its work" in result["result"]["message"]


async def test_another_program_s_database_is_refused_and_left_alone(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> None:
    worker = start_worker(engine.url, *FLAGS)
    await worker.ready()
    worker.kill()
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (worker.state_dir / name).unlink(missing_ok=True)
    with sqlite3.connect(worker.state_dir / FILE) as database:
        database.execute("CREATE TABLE stranger (name)")
    database.close()
    again = start_worker(engine.url, *FLAGS)
    assert await again.exit_code() == 1
    assert "another program's database" in again.log
    with sqlite3.connect(worker.state_dir / FILE) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("stranger",)]
    database.close()


async def test_a_worker_whose_identity_is_damaged_gets_a_new_one(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> None:
    first = start_worker(engine.url, *FLAGS)
    await first.ready()
    first.kill()
    (first.state_dir / "identity").write_bytes(b"\xff\xfe\x00" * 40)
    setup = Setup(engine, start_worker(engine.url, *FLAGS))
    await setup.worker.ready()
    assert await setup.works()


async def test_a_success_of_the_last_run_stays_one_where_the_journal_can_not_be_read_at_the_start(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> None:
    """I8: the engine calls its job claimed, and only the file knows that it has ended."""
    setup, kept = await with_a_result_that_is_refused(engine, start_worker)
    setup.worker.kill()
    engine.faults.clear()
    with locked(setup.worker.state_dir / FILE):
        setup.worker = start_worker(engine.url, *FLAGS)
        await setup.worker.ready()
        assert setup.lines(JournalFailing)
        assert await setup.works(), "jobs are asked for all the same"
    assert (await setup.result(kept))["result"]["data"] == {"text": "kept"}
    assert not setup.lines(ClaimsLost)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have nobody else read a database, nor write to it."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        database.close()


async def test_a_worker_that_is_killed_while_it_is_paused_pauses_when_its_journal_can_be_read_again(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> None:
    setup = Setup(engine, start_worker(engine.url, *FLAGS))
    await setup.worker.ready()
    words = [sys.executable, "-m", "supervisor", "pause", "--state-dir", str(setup.worker.state_dir)]
    done = await asyncio.to_thread(
        subprocess.run, words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert (done.returncode, NOT_ON_DISK in done.stdout) == (0, False), done.stderr
    setup.worker.kill()
    with locked(setup.worker.state_dir / FILE):
        setup.worker = start_worker(engine.url, *FLAGS)
        await setup.worker.ready()
        assert await setup.works(), "it can't know of the pause yet"
    await until(lambda: setup.lines(IntakeKept), "it pauses")
