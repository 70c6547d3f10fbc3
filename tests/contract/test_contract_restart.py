"""What survives a worker that is killed, or stopped, and started again (I1, I8)."""

import contextlib
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from contract_support import ECHO, SLOW, Setup, body_of
from contract_worker import Worker

from sdk.devengine import DevEngine, EngineOptions, Fault, WorkerState
from supervisor.journal.accepted_results import FILE as ACCEPTED
from supervisor.log.events.results import AcceptedResultDropped
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

TWO_SLOTS = ("--max-concurrent-jobs", "2", "--function-blocks", "blocks.testing")


@dataclass(frozen=True, slots=True)
class Restart:
    """A worker that was killed with one result undelivered and one job running, and its successor."""

    setup: Setup
    undelivered: str
    interrupted: str
    uuid: str
    bodies_before: tuple[str, ...]


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def kill(worker: Worker, victim: str) -> None:
    """Kill one of the worker's two processes with SIGKILL, and wait for the end of both."""
    supervisor = worker.supervisor_pid
    os.kill(supervisor if victim == "supervisor" else worker.keeper_pid, signal.SIGKILL)
    assert await worker.exit_code() in (128 + signal.SIGKILL, -signal.SIGKILL)
    await until(lambda: not lives(supervisor), "the supervisor has ended")


async def mark_offline(engine: DevEngine, uuid: str) -> None:
    """What the engine does by itself with a worker that has been silent for some minutes."""
    url = f"{engine.url}/workers/{uuid}/unregister"
    async with aiohttp.ClientSession() as session, session.post(url) as response:
        assert response.status == 200


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def restart(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Restart]:
    """Killed is the process that works; for the one that watches over it see the last test."""
    directory = tmp_path_factory.mktemp("restart")
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        workers = [Worker(engine.url, directory, *TWO_SLOTS)]
        try:
            setup = Setup(engine, workers[0])
            await setup.worker.ready()
            engine.faults.add(Fault("result", status=503, times=1000))
            interrupted = engine.submit(block=SLOW, parameters={"seconds": 15})
            await setup.started(interrupted)
            undelivered = engine.submit(block=ECHO, parameters={"text": "kept"})
            await until(lambda: setup.results_of(undelivered), "a first try")
            (uuid,) = [worker.uuid for worker in engine.workers()]
            await kill(setup.worker, "supervisor")
            before = tuple(each.body_text for each in setup.results_of(undelivered))
            assert {engine.job(job_id).status for job_id in (interrupted, undelivered)} == {"polled"}
            engine.faults.clear()
            await mark_offline(engine, uuid)
            workers.append(Worker(engine.url, directory, *TWO_SLOTS))
            setup.worker = workers[1]
            await setup.worker.ready()
            yield Restart(setup, undelivered, interrupted, uuid, before)
        finally:
            for worker in workers:
                worker.kill()


async def test_a_job_that_was_interrupted_by_a_kill_is_reported_as_failed(restart: Restart) -> None:
    """nautobot/nautobot#633: jobs of a worker that was killed are running for ever.

    I1: worker_restarted. Nobody knows how far the block came, and the message says so.
    """
    result = await restart.setup.result(restart.interrupted)
    assert result["status"] == "failed"
    assert "ended while the job ran" in result["result"]["message"]
    assert "may have done a part" in result["result"]["message"]
    assert "retryable" not in result["result"]
    assert len(restart.setup.results_of(restart.interrupted)) == 1


async def test_a_result_that_was_not_delivered_before_a_kill_is_sent_with_the_same_bytes(
    restart: Restart,
) -> None:
    """I1, I8."""
    result = await restart.setup.result(restart.undelivered)
    assert result["result"]["data"] == {"text": "kept"}
    bodies = [each.body_text for each in restart.setup.results_of(restart.undelivered)]
    assert len(bodies) == len(restart.bodies_before) + 1
    assert set(bodies) == set(restart.bodies_before)


async def test_a_worker_that_was_killed_keeps_its_uuid(restart: Restart) -> None:
    """W4: a ping brings back a worker that is offline, and registers nobody."""
    (worker,) = restart.setup.engine.workers()
    assert worker.uuid == restart.uuid
    assert worker.state is WorkerState.ONLINE
    assert len(restart.setup.sent("register")) == 1


async def test_a_worker_that_was_killed_works_again_and_has_nothing_left_to_do(restart: Restart) -> None:
    """I1, I12: the journal is empty when the engine has everything."""
    assert await restart.setup.works()
    await until(lambda: restart.setup.claims_on_disk() == 0, "the journal is empty")


async def test_a_worker_whose_keeper_was_killed_and_that_the_engine_has_deleted_meanwhile_registers_anew(
    engine: DevEngine, start_worker: Callable[..., Worker]
) -> None:
    """Only a 404 makes it a new worker."""
    setup = Setup(engine, start_worker(engine.url))
    await setup.worker.ready()
    await kill(setup.worker, "keeper")
    old = await setup.forget_worker()
    setup.worker = start_worker(engine.url)
    await setup.worker.ready()
    (new,) = engine.workers()
    assert new.uuid != old
    assert await setup.works()
    assert body_of(setup.sent("poll")[-1])["workerId"] == new.uuid


async def test_a_result_that_was_accepted_while_the_disk_took_nothing_is_not_sent_for_the_next_try(
    start_worker: Callable[..., Worker],
) -> None:
    """I8: a result does not say which try it is of, and the new try was this worker's as well."""
    async with DevEngine(EngineOptions(without_token=True, id_grammar="0.43", max_attempts=2)) as engine:
        setup = Setup(engine, start_worker(engine.url))
        state = setup.worker.state_dir
        await setup.worker.ready()
        engine.faults.add(Fault("result", status=503, times=1000))
        job_id = engine.submit(block="contract/fails:1.0.0")
        await until(lambda: setup.results_of(job_id), "the first try's result is on the disk, and sent")
        with nobody_else_writes(state / "journal.sqlite3"):
            engine.faults.clear()
            await until(
                lambda: engine.job(job_id).attempts == 2, "it is accepted, and the job handed out again"
            )
            engine.faults.add(Fault("result", status=503, times=1000))  # of the second try
            await until(
                lambda: any((state / ACCEPTED).read_bytes()[32:]), "what could not be forgotten is named"
            )
            await kill(setup.worker, "supervisor")
        engine.faults.clear()
        setup = Setup(engine, start_worker(engine.url))
        await setup.worker.ready()
        result = await setup.result(job_id)
        assert engine.job(job_id).attempts == 2
        assert "It never works" in str(engine.earlier_attempts(job_id)[0].result_text)
        assert "It never works" not in result["result"]["message"]
        assert setup.lines(AcceptedResultDropped, job_id)


@contextlib.contextmanager
def nobody_else_writes(journal: Path) -> Iterator[None]:
    """Have a worker's writes fail, after the five seconds for which it waits for another program."""
    database = sqlite3.connect(journal, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
    finally:
        database.close()
