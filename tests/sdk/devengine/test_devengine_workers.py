"""Workers are watched: silence makes them unreachable, offline and deleted, and their jobs are failed."""

import asyncio

import pytest
from devengine_support import ECHO, Clock, HttpWorker, running_engine

from sdk.devengine import DevEngine, WorkerState
from tests.patience import PATIENCE_SECONDS, until

BLOCK = "lab/echo:1.0.0"


def state_of(engine: DevEngine) -> WorkerState:
    (record,) = engine.workers(with_deleted=True)
    return record.state


async def test_every_registration_is_a_new_worker(engine: DevEngine, worker: HttpWorker) -> None:
    first = worker.uuid
    assert await worker.register() != first
    assert len(engine.workers()) == 2


async def test_an_unset_name_stays_absent_and_a_missing_version_is_refused(worker: HttpWorker) -> None:
    status, answer = await worker.call("POST", "/workers/register", {"version": "2"})
    assert status == 201
    assert not {"name", "ipAddress"} & set(answer)
    assert answer["state"] == "online"
    assert (await worker.call("POST", "/workers/register", {"name": "x"}))[0] == 400


async def test_silence_leads_through_the_states_at_their_thresholds(
    engine: DevEngine, worker: HttpWorker, clock: Clock
) -> None:
    states = []
    for seconds in (119.9, 0.1, 239.9, 0.1):
        clock.advance(seconds)
        engine.check_now()
        states.append(state_of(engine).value)
    assert states == ["online", "unreachable", "unreachable", "offline"]


@pytest.mark.parametrize("silent_seconds", [130, 400])
async def test_a_ping_brings_a_silent_worker_back(
    engine: DevEngine, worker: HttpWorker, clock: Clock, silent_seconds: float
) -> None:
    clock.advance(silent_seconds)
    engine.check_now()
    assert state_of(engine) is not WorkerState.ONLINE
    assert await worker.ping() == 200
    assert state_of(engine) is WorkerState.ONLINE


async def test_a_worker_that_pings_stays_online(engine: DevEngine, worker: HttpWorker, clock: Clock) -> None:
    for _ in range(50):
        clock.advance(20)
        await worker.ping()
        engine.check_now()
        assert state_of(engine) is WorkerState.ONLINE


@pytest.mark.parametrize("silent_seconds", [130, 400])
async def test_a_worker_that_is_not_online_gets_an_empty_list(
    engine: DevEngine, worker: HttpWorker, clock: Clock, silent_seconds: float
) -> None:
    job_id = engine.submit(block=BLOCK)
    clock.advance(silent_seconds)
    engine.check_now()
    assert await worker.poll() == (201, [])
    assert engine.job(job_id).status == "pending"
    await worker.ping()
    assert len((await worker.poll())[1]) == 1


async def test_the_claimed_jobs_of_an_offline_worker_are_failed_by_the_engine(
    engine: DevEngine, worker: HttpWorker, clock: Clock
) -> None:
    job_id, later = engine.submit(block=BLOCK), engine.submit(block=BLOCK)
    await worker.poll(limit=1)
    clock.advance(130)
    engine.check_now()
    assert engine.job(job_id).status == "polled", "an unreachable worker's jobs go on"
    clock.advance(300)
    engine.check_now()
    job = engine.job(job_id)
    assert (job.status, job.result_status, job.finished_by) == ("pushed", "failed", "engine")
    assert f"worker {worker.uuid} went offline" in job.result["result"]["message"]
    assert engine.job(later).status == "pending"
    assert (await worker.push(job_id))[0] == 409


async def test_a_stuck_job_is_failed_although_its_worker_pings(
    engine: DevEngine, worker: HttpWorker, clock: Clock
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    for expected in ("polled", "pushed"):
        clock.advance(360)
        await worker.ping()
        engine.check_now()
        assert engine.job(job_id).status == expected
    assert "720 s" in engine.job(job_id).result["result"]["message"]


async def test_a_result_before_the_deadline_ends_the_stuck_timer(
    engine: DevEngine, worker: HttpWorker, clock: Clock
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    clock.advance(719)
    assert (await worker.push(job_id))[0] == 201
    clock.advance(100)
    engine.check_now()
    assert engine.job(job_id).result_status == "success"


async def test_unregistering_is_offline_at_once_and_keeps_the_blocks(
    engine: DevEngine, worker: HttpWorker
) -> None:
    job_id = engine.submit(block=BLOCK)
    await worker.poll()
    assert await worker.call("POST", f"/workers/{worker.uuid}/unregister") == (200, {"success": True})
    (record,) = engine.workers()
    assert (record.state, record.last_ping_at) == (WorkerState.OFFLINE, 0.0)
    _, shown = await worker.call("GET", f"/workers/{worker.uuid}")
    assert shown["lastPingAt"] == "1970-01-01T00:00:00.000Z"
    assert shown["lastSeenAt"] != shown["lastPingAt"]
    engine.check_now()
    assert engine.job(job_id).finished_by == "engine"
    assert [str(found.block) for found in engine.registrations()] == [BLOCK]
    assert await worker.ping() == 200
    assert state_of(engine) is WorkerState.ONLINE


async def test_an_offline_worker_is_deleted_after_a_day_and_must_register_anew(
    engine: DevEngine, worker: HttpWorker, clock: Clock
) -> None:
    await worker.call("POST", f"/workers/{worker.uuid}/unregister")
    clock.advance(86_399)
    engine.check_now()
    assert len(engine.workers()) == 1
    clock.advance(1)
    engine.check_now()
    assert engine.workers() == []
    assert await worker.ping() == 404
    assert (await worker.poll())[0] == 404
    assert (await worker.call("POST", f"/workers/{worker.uuid}/unregister"))[0] == 404


async def test_a_deleted_worker_shows_only_when_asked_for(engine: DevEngine, worker: HttpWorker) -> None:
    assert (await worker.call("DELETE", f"/workers/{worker.uuid}"))[0] == 204
    assert (await worker.call("GET", f"/workers/{worker.uuid}"))[0] == 404
    assert (await worker.call("GET", "/workers"))[1] == []
    _, (shown,) = await worker.call("GET", "/workers?findDeleted=true")
    assert (shown["uuid"], shown["deletedAt"] is not None) == (worker.uuid, True)
    assert (await worker.call("DELETE", f"/workers/{worker.uuid}"))[0] == 404


async def test_the_engine_checks_by_itself_at_its_interval() -> None:
    times = {"unreachable_seconds": 0.05, "offline_seconds": 0.1, "check_interval_seconds": 0.02}
    async with running_engine(**times) as engine, HttpWorker(engine.url, engine.token_file) as worker:
        job_id = engine.submit(block=BLOCK)
        # On a busy machine the worker may count as offline before its poll arrives.
        while engine.job(job_id).status == "pending":
            await worker.register()
            await worker.poll()
        job = await engine.wait_for_result(job_id, timeout_seconds=PATIENCE_SECONDS)
        assert job.finished_by == "engine"
        assert {each.state for each in engine.workers(with_deleted=True)} == {WorkerState.OFFLINE}


async def test_a_clock_that_jumps_back_loses_no_worker(
    engine: DevEngine, worker: HttpWorker, clock: Clock
) -> None:
    clock.advance(-3600)
    engine.check_now()
    assert state_of(engine) is WorkerState.ONLINE


async def test_pings_are_answered_while_many_results_arrive(engine: DevEngine, worker: HttpWorker) -> None:
    job_ids = [engine.submit(block=BLOCK) for _ in range(50)]
    await worker.poll(limit=50)
    answers = await asyncio.gather(
        *(worker.push(job_id) for job_id in job_ids), *(worker.ping() for _ in range(10))
    )
    assert [answer[0] for answer in answers[:50]] == [201] * 50
    assert answers[50:] == [200] * 10


async def test_a_machine_that_was_suspended_loses_no_worker_and_no_job(clock: Clock) -> None:
    async with (
        running_engine(clock, check_interval_seconds=0.02) as engine,
        HttpWorker(engine.url, engine.token_file) as worker,
    ):
        await worker.register(ECHO)
        job_id = engine.submit(block=BLOCK)
        await worker.poll()
        checks = 0
        check = engine.check_now

        def counted() -> None:
            nonlocal checks
            checks += 1
            check()

        engine.check_now = counted  # type: ignore[method-assign]
        clock.advance(3600)
        await until(lambda: checks >= 2, "the engine has looked since")
        assert state_of(engine) is WorkerState.ONLINE
        assert engine.job(job_id).status == "polled"
        clock.advance(engine.options.stuck_seconds)
        engine.check_now()
        assert engine.job(job_id).finished_by == "engine", "what is asked for now is judged by the clock"
