"""The end: conformance test 7 (engine contract §9), and the order of invariant I10."""

import itertools
import time
from collections.abc import Callable

import pytest
from contract_support import ECHO, SLOW, Setup
from contract_worker import HEARTBEAT_SECONDS, Worker, until

from sdk.devengine import DevEngine, Fault, WorkerState

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]

LATEST_PING_SECONDS = HEARTBEAT_SECONDS + 0.5


def terminate(setup: Setup) -> float:
    """Ask the worker to stop; return when."""
    setup.worker.terminate()
    return time.monotonic()


def check_order(setup: Setup, signalled_at: float) -> None:
    """Stop polling, deliver, unregister, exit; heartbeat until the worker unregisters, and not beyond (I10)."""
    (unregister,) = setup.sent("unregister")
    assert unregister.status == 200
    # One may have been on its way.
    assert len([poll for poll in setup.sent("poll") if poll.monotonic_seconds > signalled_at]) <= 1
    assert all(each.monotonic_seconds < unregister.monotonic_seconds for each in setup.sent("result"))
    pings = [ping.monotonic_seconds for ping in setup.sent("ping")]
    assert pings[-1] < unregister.monotonic_seconds
    times = [*pings, unregister.monotonic_seconds]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < LATEST_PING_SECONDS
    # A ping after the unregistration would have brought the worker back (W4).
    assert [worker.state for worker in setup.engine.workers()] == [WorkerState.OFFLINE]


async def test_an_idle_worker_stops_polling_unregisters_and_exits(fresh: Setup) -> None:
    """Number 7. A ping that is on its way is answered first, and none is sent while the engine says farewell."""
    fresh.engine.faults.add(Fault("unregister", handle=True, answer_delay_seconds=1))
    fresh.engine.faults.add(Fault("ping", delay_seconds=0.15, times=1000))
    before = fresh.engine.faults.waiting
    await until(lambda: fresh.engine.faults.waiting < before, "a ping is on its way")
    signalled_at = terminate(fresh)
    assert await fresh.worker.exit_code() == 0
    fresh.engine.faults.clear()
    check_order(fresh, signalled_at)


async def test_a_running_job_is_finished_and_reported_before_the_worker_unregisters(fresh: Setup) -> None:
    """Number 7 and 6: heartbeats continue while the job drains and its result is tried twice."""
    job_id = fresh.engine.submit(block=SLOW, parameters={"seconds": 1.5})
    await fresh.started(job_id)
    fresh.engine.faults.add(Fault("result", status=503))
    signalled_at = terminate(fresh)
    await fresh.logged("SIGTERM")
    never_claimed = fresh.engine.submit(block=ECHO, parameters={"text": "for another worker"})
    assert await fresh.worker.exit_code() == 0
    assert fresh.engine.job(job_id).result_status == "success"
    assert [request.status for request in fresh.results_of(job_id)] == [503, 201]
    assert fresh.engine.job(never_claimed).status == "pending"
    check_order(fresh, signalled_at)


async def test_a_job_longer_than_the_shutdown_timeout_is_killed_and_reported_before_the_worker_unregisters(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 7. The result says why, and where the job was."""
    flags = ("--function-blocks", "blocks.testing", "--shutdown-timeout-seconds", "0.5")
    setup = Setup(engine, start_worker(engine.url, *flags))
    await setup.worker.ready()
    job_id = engine.submit(block="neops_testing/ignores_cancel:1.0.0")
    await setup.started(job_id)
    signalled_at = terminate(setup)
    assert await setup.worker.exit_code() == 0
    result = engine.job(job_id).result
    assert result is not None
    assert result["status"] == "failed"
    assert "shutting down" in result["result"]["message"]
    assert "Where it was" in result["result"]["message"]
    ended_at = setup.results_of(job_id)[0].monotonic_seconds
    assert 0.5 <= ended_at - signalled_at < 3
    check_order(setup, signalled_at)


async def test_a_second_signal_kills_running_jobs_and_reports_them(fresh: Setup) -> None:
    """Number 7: for the operator who does not want to wait."""
    job_id = fresh.engine.submit(block="neops_testing/hang_sleep:1.0.0")
    await fresh.started(job_id)
    signalled_at = terminate(fresh)
    await fresh.logged("SIGTERM")
    fresh.worker.terminate()
    assert await fresh.worker.exit_code() == 0
    assert fresh.engine.job(job_id).result_status == "failed"
    check_order(fresh, signalled_at)


async def test_the_jobs_of_a_poll_in_flight_are_run(fresh: Setup) -> None:
    """I10, §4.1: the engine has given the jobs away before its answer is there."""
    fresh.engine.faults.add(Fault("poll", handle=True, answer_delay_seconds=1, times=2))
    jobs = [fresh.engine.submit(block=ECHO, parameters={"text": "in flight"}) for _ in range(2)]
    await until(lambda: fresh.engine.job(jobs[1]).status == "polled", "the engine has handed the jobs out")
    signalled_at = terminate(fresh)
    assert await fresh.worker.exit_code() == 0
    fresh.engine.faults.clear()
    assert [fresh.engine.job(job_id).result_status for job_id in jobs] == ["success", "success"]
    check_order(fresh, signalled_at)


async def test_the_jobs_of_a_poll_that_is_answered_too_late_are_reported_as_not_run(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """I10: after the shutdown timeout nothing is started any more, and nothing is lost either."""
    setup = Setup(engine, start_worker(engine.url, "--shutdown-timeout-seconds", "0.2"))
    await setup.worker.ready()
    engine.faults.add(Fault("poll", handle=True, answer_delay_seconds=1, times=2))
    job_id = engine.submit(block=ECHO, parameters={"text": "too late"})
    await until(lambda: engine.job(job_id).status == "polled", "the engine has handed the job out")
    signalled_at = terminate(setup)
    assert await setup.worker.exit_code() == 0
    engine.faults.clear()
    result = engine.job(job_id).result
    assert result is not None
    assert result["status"] == "failed"
    assert "Not run" in result["result"]["message"]
    check_order(setup, signalled_at)


async def test_a_worker_that_registers_anew_in_vain_still_stops(fresh: Setup) -> None:
    """Number 5 and 7: an engine that has forgotten the worker, and then fails, must not hold up its end."""
    fresh.engine.faults.add(Fault("register", status=503, times=1000))
    fresh.engine.faults.add(Fault("poll", status=404, times=1000))
    await fresh.logged("Registering anew failed")
    terminate(fresh)
    assert await fresh.worker.exit_code(8) == 0
