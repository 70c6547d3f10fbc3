"""Claiming jobs: conformance tests 1 and 14 of the engine contract."""

from pathlib import Path

import pytest
from contract_support import SLOW, WAITS, Setup, body_of, job_item

from supervisor.log.events.jobs import JobRepeated, JobStarted
from supervisor.log.events.worker import PollTooLarge
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]


def limits(setup: Setup) -> list[int]:
    return [body_of(poll)["limit"] for poll in setup.sent("poll")]


async def test_a_poll_asks_for_as_many_jobs_as_slots_are_free(setup: Setup, tmp_path: Path) -> None:
    """Number 1."""
    await until(lambda: limits(setup)[-1:] == [2], "an idle worker asks for two jobs")
    slow = setup.engine.submit(block=WAITS, parameters={"choice": str(tmp_path / "release")})
    await setup.started(slow)
    await until(lambda: limits(setup)[-1:] == [1], "with one job running it asks for one")
    (tmp_path / "release").touch()
    await setup.result(slow)
    await until(lambda: limits(setup)[-1:] == [2], "when the job is over it asks for two again")


async def test_a_worker_without_a_free_slot_does_not_poll(setup: Setup, tmp_path: Path) -> None:
    """Number 1: a claim that can't be started would only grow old here."""
    parameters = {"choice": str(tmp_path / "release")}
    jobs = [setup.engine.submit(block=WAITS, parameters=parameters) for _ in range(2)]
    for job_id in jobs:
        await setup.started(job_id)
    polls, pings = len(setup.sent("poll")), len(setup.sent("ping"))
    await until(
        lambda: len(setup.sent("ping")) >= pings + 5, "the worker goes on, for twenty pauses between polls"
    )
    assert len(setup.sent("poll")) == polls > 0
    (tmp_path / "release").touch()
    for job_id in jobs:
        assert (await setup.result(job_id))["status"] == "success"


async def test_a_poll_names_every_accepted_block_as_an_object(setup: Setup) -> None:
    """Number 1: the ids of a poll are objects, not strings (W5)."""
    await until(lambda: setup.sent("poll"), "a poll")
    asked = body_of(setup.sent("poll")[-1])
    named = {
        f"{block['package']}/{block['name']}:"
        f"{block['majorVersion']}.{block['minorVersion']}.{block['patchVersion']}"
        for block in asked["functionBlockIds"]
    }
    assert named == {str(registration.block) for registration in setup.engine.registrations()}
    assert asked["workerId"] == setup.engine.workers()[0].uuid


async def test_a_worker_that_gets_nothing_asks_again(setup: Setup) -> None:
    """Number 1: 201 and an empty list."""
    await until(lambda: len(setup.sent("poll")) >= 3, "three polls of an idle worker")
    assert {poll.status for poll in setup.sent("poll")} == {201}


async def test_more_jobs_than_asked_for_are_all_run(setup: Setup) -> None:
    """Number 1: an engine that ignores the limit must not lose a job by it."""
    names = [f"too-many-{number}" for number in range(5)]
    for name in names:
        setup.engine.inject_raw_item(job_item(name))
    await setup.logged(PollTooLarge, "5 jobs for 2 free slots")
    results = [await setup.result(name) for name in names]
    assert [each["result"]["data"] for each in results] == [{"text": name} for name in names]


async def test_a_job_that_the_engine_delivers_again_is_run_again(setup: Setup) -> None:
    """Number 14: a retry has the same id."""
    job_id = setup.engine.submit(block="contract/fails:1.0.0")
    await setup.result(job_id)
    pids = [body_of(request)["result"]["data"]["pid"] for request in setup.results_of(job_id)]
    assert setup.engine.job(job_id).attempts == 2
    assert len(set(pids)) == 2


async def test_a_job_that_comes_twice_in_one_poll_is_run_once(setup: Setup) -> None:
    job_id = setup.engine.submit(block=SLOW, parameters={"seconds": 0.2})
    setup.engine.inject_raw_item(setup.engine.job(job_id).item)
    await setup.result(job_id)
    await setup.logged(JobRepeated, job_id)
    assert await setup.works()
    assert len(setup.results_of(job_id)) == 1
    assert len(setup.lines(JobStarted, job_id)) == 1


async def test_a_running_job_that_comes_again_is_not_run_beside_itself(setup: Setup, tmp_path: Path) -> None:
    job_id = setup.engine.submit(block=WAITS, parameters={"choice": str(tmp_path / "release")})
    await setup.started(job_id)
    setup.engine.inject_raw_item(setup.engine.job(job_id).item)
    await setup.logged(JobRepeated, job_id)
    (tmp_path / "release").touch()
    await setup.result(job_id)
    assert len(setup.lines(JobStarted, job_id)) == 1
