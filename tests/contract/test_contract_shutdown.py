"""The end: conformance test 7 of the engine contract, and the order of invariant I10."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_support import ECHO, WAITS, Setup
from contract_worker import HEARTBEAT_SECONDS, Worker

from sdk.devengine import DevEngine, Fault, WorkerState
from supervisor.log.events.worker import RenewalFailing, StopSignalled
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]

LATEST_PING_SECONDS = HEARTBEAT_SECONDS + 2.0
"""As for the heartbeats of a worker that runs: the machine may let everything here stand still for a while."""


async def terminate(setup: Setup) -> float:
    """Ask the worker to stop; return when it had heard it, which passes through the keeper first."""
    setup.worker.terminate()
    await setup.logged(StopSignalled, "SIGTERM")
    return time.monotonic()


def check_order(setup: Setup, heard_at: float) -> None:
    """Stop polling, deliver, unregister, exit; heartbeat until the worker unregisters, and not beyond (I10)."""
    (unregister,) = setup.sent("unregister")
    assert unregister.status == 200
    # One may have been on its way.
    assert len([poll for poll in setup.sent("poll") if poll.monotonic_seconds > heard_at]) <= 1
    assert all(each.monotonic_seconds < unregister.monotonic_seconds for each in setup.sent("result"))
    pings = [ping.monotonic_seconds for ping in setup.sent("ping")]
    assert pings[-1] < unregister.monotonic_seconds
    times = [*pings, unregister.monotonic_seconds]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) < LATEST_PING_SECONDS
    # A ping after the unregistration would have brought the worker back (W4).
    assert [worker.state for worker in setup.engine.workers()] == [WorkerState.OFFLINE]


async def poll_in_flight(setup: Setup) -> str:
    """Have a job handed out by a poll whose answer takes one more second; return the job's id."""
    # Two: one poll without a job may be on its way.
    setup.engine.faults.add(Fault("poll", handle=True, answer_delay_seconds=1, times=2))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "in flight"})
    await until(lambda: setup.engine.job(job_id).status == "polled", "the engine has handed the job out")
    return job_id


async def test_an_idle_worker_stops_polling_unregisters_and_exits(fresh: Setup) -> None:
    """Number 7. A ping that is on its way is answered first, and none is sent while the engine says farewell."""
    fresh.engine.faults.add(Fault("unregister", handle=True, answer_delay_seconds=1))
    fresh.engine.faults.add(Fault("ping", delay_seconds=0.15, times=1000))
    before = fresh.engine.faults.waiting
    await until(lambda: fresh.engine.faults.waiting < before, "a ping is on its way")
    heard_at = await terminate(fresh)
    assert await fresh.worker.exit_code() == 0
    fresh.engine.faults.clear()
    check_order(fresh, heard_at)


async def test_a_running_job_and_those_of_a_poll_in_flight_are_finished_before_the_worker_unregisters(
    fresh: Setup, tmp_path: Path
) -> None:
    """procrastinate-org/procrastinate#1585 (no heartbeat while draining) and gitlab-org/gitlab-runner#39847.

    Number 7 and 6: the engine has given the jobs of a poll away before its answer is there.

    Heartbeats continue while it all drains and a result is tried twice.
    """
    running = fresh.engine.submit(block=WAITS, parameters={"choice": str(tmp_path / "release")})
    await fresh.started(running)
    in_flight = await poll_in_flight(fresh)
    fresh.engine.faults.add(Fault("result", status=503))
    heard_at = await terminate(fresh)
    never_claimed = fresh.engine.submit(block=ECHO, parameters={"text": "for another worker"})
    pings = len(fresh.sent("ping"))
    await until(lambda: len(fresh.sent("ping")) >= pings + 5, "heartbeats while it drains")
    (tmp_path / "release").touch()
    assert await fresh.worker.exit_code() == 0
    assert [fresh.engine.job(job_id).result_status for job_id in (running, in_flight)] == ["success"] * 2
    assert sorted(request.status or 0 for request in fresh.sent("result")) == [201, 201, 503]
    assert fresh.engine.job(never_claimed).status == "pending"
    check_order(fresh, heard_at)


async def test_after_the_shutdown_timeout_jobs_are_killed_or_not_started_and_reported_before_the_worker_unregisters(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 7. The results say why, and where a killed job was. A poll that is answered later still loses nothing."""
    flags = ("--function-blocks", "blocks.testing", "--max-concurrent-jobs", "2")
    setup = Setup(engine, start_worker(engine.url, *flags, "--shutdown-timeout-seconds", "0.5"))
    await setup.worker.ready()
    running = engine.submit(block="neops_testing/ignores_cancel:1.0.0")
    await setup.started(running)
    in_flight = await poll_in_flight(setup)
    asked_at = time.monotonic()
    heard_at = await terminate(setup)
    assert await setup.worker.exit_code() == 0
    killed, not_run = (engine.job(job_id).result or {} for job_id in (running, in_flight))
    assert [killed["status"], not_run["status"]] == ["failed", "failed"]
    assert "shutting down" in killed["result"]["message"]
    assert "Where it was" in killed["result"]["message"]
    assert "Not run" in not_run["result"]["message"]
    ended_at = setup.results_of(running)[0].monotonic_seconds
    assert ended_at - asked_at >= 0.5
    check_order(setup, heard_at)


async def test_a_second_signal_kills_running_jobs_and_reports_them(fresh: Setup) -> None:
    """Number 7: for the operator who does not want to wait."""
    job_id = fresh.engine.submit(block="neops_testing/hang_sleep:1.0.0")
    await fresh.started(job_id)
    heard_at = await terminate(fresh)
    fresh.worker.terminate()
    assert await fresh.worker.exit_code() == 0
    assert fresh.engine.job(job_id).result_status == "failed"
    assert (
        "shutting down" in (fresh.engine.job(job_id).result or {})["result"]["message"]
    )  # not its time limit
    check_order(fresh, heard_at)


async def test_a_worker_that_registers_anew_in_vain_still_stops(fresh: Setup) -> None:
    """Number 5 and 7: an engine that has forgotten the worker, and then fails, must not hold up its end."""
    fresh.engine.faults.add(Fault("register", status=503, times=1000))
    await fresh.forget_worker()
    await fresh.logged(RenewalFailing)
    fresh.worker.terminate()
    assert await fresh.worker.exit_code(25) == 0  # of the 60 s that running jobs would have


async def test_a_worker_that_is_told_to_stop_while_it_imports_a_block_ends_at_once(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    """An import may take minutes, and nothing runs yet that must be finished."""
    begun, module = tmp_path / "begun", tmp_path / "endless.py"
    text = f"import os, pathlib, time\npathlib.Path({str(begun)!r}).write_text(str(os.getpid()))\ntime.sleep(600)\n"
    module.write_text(text)
    flags = ("--function-blocks", str(module), "--import-seconds", "600")
    setup = Setup(engine, start_worker(engine.url, *flags))
    template = await until(lambda: begun.exists() and begun.read_text(), "the module is imported")
    setup.worker.terminate()
    assert await setup.worker.exit_code() == 0
    assert not Path(f"/proc/{template}").exists()
    assert setup.sent("register") == []
