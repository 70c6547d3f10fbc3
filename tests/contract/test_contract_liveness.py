"""Being known to the engine: conformance tests 5 and 6 of the engine contract."""

import itertools
from pathlib import Path

import pytest
from contract_support import ECHO, WAITS, Setup, body_of, status_is
from contract_worker import HEARTBEAT_SECONDS

from sdk.devengine import Fault, RequestRecord, WorkerState
from supervisor.log.events.worker import (
    HeartbeatFailing,
    HeartbeatRestored,
    Registered,
    RenewalFailing,
    WorkerExpired,
)
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

# How late is measured by the benchmark; here a busy machine must not decide.
LATEST_SECONDS = HEARTBEAT_SECONDS + 2.0
"""Between two pings. The half second is the machine's: tests share two cores with whatever else runs there."""


def pings_since(setup: Setup, count: int) -> list[RequestRecord]:
    """The pings after the first `count`, and the one before them."""
    return setup.sent("ping")[max(0, count - 1) :]


def longest_silence(pings: list[RequestRecord]) -> float:
    times = [ping.monotonic_seconds for ping in pings]
    return max(later - earlier for earlier, later in itertools.pairwise(times))


async def test_the_first_ping_comes_at_once_and_the_next_ones_on_the_beat(setup: Setup) -> None:
    """Number 6, W4."""
    await until(lambda: len(setup.sent("ping")) >= 13, "thirteen pings")
    pings = setup.sent("ping")
    seconds = pings[12].monotonic_seconds - pings[0].monotonic_seconds
    # Twelve intervals lie between them. Half of that is for a machine that lets this engine stand still for a second:
    # the pings of that time are then heard in one moment.
    assert seconds > 12 * HEARTBEAT_SECONDS / 2
    assert longest_silence(pings) < LATEST_SECONDS


async def test_heartbeats_continue_while_every_slot_burns_a_core_and_holds_the_gil(setup: Setup) -> None:
    """Number 6, I3."""
    jobs = [setup.engine.submit(block="contract/busy:1.0.0") for _ in range(2)]
    for job_id in jobs:
        await setup.started(job_id)
    begun = len(setup.sent("ping"))
    for job_id in jobs:
        assert "time limit" in (await setup.result(job_id))["result"]["message"]
    pings = pings_since(setup, begun)
    assert len(pings) >= 8
    assert longest_silence(pings) < LATEST_SECONDS


async def test_heartbeats_continue_while_results_can_not_be_pushed(setup: Setup) -> None:
    """Number 6: some tries fail, and one hangs."""
    setup.engine.faults.add(Fault("result", status=503, times=2))
    # For longer than a silence may last, or heartbeats that wait for it would not be noticed.
    setup.engine.faults.add(Fault("result", delay_seconds=2 * LATEST_SECONDS))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "pushed late"})
    await until(lambda: len(setup.sent("result")) >= 2, "two tries")
    begun = len(setup.sent("ping"))
    await setup.result(job_id)
    assert longest_silence(pings_since(setup, begun)) < LATEST_SECONDS


async def test_heartbeats_continue_while_a_large_result_is_pushed(setup: Setup) -> None:
    """Number 6, I3: a result just below the cap."""
    begun = len(setup.sent("ping"))
    result = await setup.run("neops_testing/big_result:1.0.0", {"mb": 7})
    assert len(result["data"]["value"]) == 7 << 20
    await until(lambda: len(setup.sent("ping")) > begun + 3, "some pings")
    assert longest_silence(setup.sent("ping")) < LATEST_SECONDS


async def test_one_ping_that_hangs_does_not_delay_the_next(setup: Setup) -> None:
    """Number 6."""
    await until(lambda: setup.sent("ping"), "a ping")
    setup.engine.faults.add(Fault("ping", delay_seconds=1))
    await until(lambda: setup.engine.faults.waiting == 0, "the slow ping has begun")
    begun = len(setup.sent("ping"))
    await until(lambda: len(setup.sent("ping")) >= begun + 5, "five more pings")
    await setup.logged(HeartbeatFailing)
    await setup.logged(HeartbeatRestored)
    assert longest_silence(setup.sent("ping")) < LATEST_SECONDS


async def test_a_worker_that_was_forgotten_while_idle_registers_anew(setup: Setup) -> None:
    """Number 5: a new uuid, all blocks for it, and jobs again."""
    blocks = {str(registration.block) for registration in setup.engine.registrations()}
    old = await setup.forget_worker()
    await setup.logged(WorkerExpired)
    assert await setup.works()
    (new,) = setup.engine.workers()
    assert new.uuid != old
    assert new.state is WorkerState.ONLINE
    offered = {str(each.block) for each in setup.engine.registrations() if new.uuid in each.worker_ids}
    assert offered == blocks
    assert len(setup.sent("register")) == 1


async def test_the_result_of_a_job_that_ran_while_the_worker_was_forgotten_is_still_pushed(
    setup: Setup, tmp_path: Path
) -> None:
    """Number 5. Two slots are taken, so that it is the ping and not the poll that learns of it."""
    parameters = {"choice": str(tmp_path / "release")}
    jobs = [setup.engine.submit(block=WAITS, parameters=parameters) for _ in range(2)]
    for job_id in jobs:
        await setup.started(job_id)
    await setup.forget_worker()
    await setup.logged(Registered)
    told = {404, 200}
    await until(
        lambda: {ping.status for ping in setup.sent("ping")} >= told,
        "a ping has learnt of it, and others go on",
    )
    assert {setup.engine.job(job_id).status for job_id in jobs} == {"polled"}
    (tmp_path / "release").touch()
    for job_id in jobs:
        assert (await setup.result(job_id))["status"] == "success"


async def test_trouble_while_registering_anew_makes_no_second_worker(setup: Setup) -> None:
    """Number 5 and 12: each worker counts against a licence, and what was accepted is not sent again."""
    count = len(setup.engine.registrations())
    for fault in (Fault("register", status=503), Fault("register_block", status=503, times=2)):
        setup.engine.faults.add(fault)
    await setup.forget_worker()
    assert await setup.works()
    assert [request.status for request in setup.sent("register")] == [503, 201]
    (worker,) = setup.engine.workers()

    def accepted() -> int:
        # For the worker before it, blocks may still have been registered anew after the test before this one.
        sent = [each for each in setup.sent("register_block") if each.status == 201]
        return len([each for each in sent if body_of(each)["workerId"] == worker.uuid])

    await until(lambda: accepted() >= count, "every block is registered anew")
    assert accepted() == count


async def test_a_worker_that_the_engine_does_not_take_back_is_not_ready_and_says_why(setup: Setup) -> None:
    """Number 5: the licence is full, say."""
    setup.engine.faults.add(Fault("register", status=403, body={"message": "maxWorkers"}, times=1000))
    await setup.forget_worker()
    await setup.logged(RenewalFailing)
    # A ping that was answered late is another reason, for a moment.
    status = await status_is(
        setup, lambda status: [why["cause"] for why in status["why_not"]] == ["no_block"]
    )
    assert status["ready"] is False
    assert "maxWorkers" in status["why_not"][0]["message"]
    setup.engine.faults.clear()
    assert await setup.works()
