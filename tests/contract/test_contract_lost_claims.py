"""A poll whose answer never arrives has claimed jobs all the same (contract W5): they are reported, not left to sit.

gitlab-org/gitlab-runner#39847: the server has assigned the job, the worker has dropped the request, and the job sits
for its full time limit with an empty log.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from contract_support import ECHO, WAITS, Setup, body_of
from contract_worker import Worker

from sdk.devengine import DevEngine, EngineOptions, Fault
from supervisor.log.events.worker import ClaimsUnknown
from supervisor.worker.lost_claims import SECOND_LOOK_SECONDS
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]
TOKEN = "a-token-that-may-look"
# Sooner than the looks that would find them anyway.
AT_ONCE_SECONDS = SECOND_LOOK_SECONDS - 5


@pytest_asyncio.fixture(loop_scope="session")
async def guarded() -> AsyncIterator[DevEngine]:
    """An engine that lists jobs only for those who have a token, as the 0.43 engine does."""
    async with DevEngine(EngineOptions(without_token=True, id_grammar="0.43", read_token=TOKEN)) as engine:
        yield engine


async def lose_a_claim(setup: Setup, fault: Fault) -> str:
    """Have a poll with this fault claim a job, and return the job's id."""
    setup.engine.faults.add(fault)
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "lost"})
    await until(lambda: setup.engine.job(job_id).status != "pending", "a poll has claimed the job")
    return job_id


async def poll_as(setup_engine: DevEngine, uuid: str) -> None:
    """Claim as a worker does that is killed before it has written down what it got."""
    version = {"majorVersion": 1, "minorVersion": 0, "patchVersion": 0}
    blocks = [{"name": "echo", "package": "neops_base", **version}]
    body = {"functionBlockIds": blocks, "workerId": uuid, "limit": 1}
    url = f"{setup_engine.url}/blackboard/job"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        await response.read()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("poll", drop="after", times=2),
        Fault("poll", handle=True, status=500, times=2),
        Fault("poll", handle=True, body='[{"jobId": "', times=2),
    ],
    ids=["connection reset", "error after the commit", "answer cut off"],
)
async def test_jobs_of_a_poll_whose_answer_is_lost_are_failed_at_once(setup: Setup, fault: Fault) -> None:
    """Issue gitlab-runner#39847. One poll is on its way when the fault is ordered, hence two."""
    job_id = await lose_a_claim(setup, fault)
    await until(lambda: setup.results_of(job_id), "a result has come", seconds=AT_ONCE_SECONDS)
    setup.engine.faults.clear()
    # The first one: this engine then tries such a job once more.
    result = body_of(setup.results_of(job_id)[0])
    assert result["status"] == "failed"
    assert "gave this job to this worker" in result["result"]["message"]
    assert "lost" not in setup.log.replace("lost_claims", "").replace("claim_lost", "").replace(
        "claims_lost", ""
    ), "parameters in the log"
    assert result["result"]["retryable"] is True
    await until(lambda: "claim_lost" in setup.log, "the log says why, a moment after the result")
    assert await setup.works()


async def test_a_job_that_runs_or_whose_result_is_on_its_way_is_not_called_lost(
    setup: Setup, tmp_path: Path
) -> None:
    """The engine lists them too: as claimed, and without a result."""
    running = setup.engine.submit(block=WAITS, parameters={"choice": str(tmp_path / "release")})
    await setup.started(running)
    setup.engine.faults.add(Fault("result", status=503))
    finished = setup.engine.submit(block=ECHO, parameters={"text": "delivered late"})
    await until(lambda: setup.results_of(finished), "its result was refused for now")
    setup.engine.faults.add(Fault("poll", drop="after", times=2))
    await until(lambda: len(setup.sent("worker_jobs")) >= 1, "the engine was asked")
    await until(lambda: setup.engine.faults.waiting == 0, "both polls have failed")
    (tmp_path / "release").touch()
    for job_id in (running, finished):
        assert (await setup.result(job_id))["status"] == "success"
        assert len(setup.results_of(job_id)) <= 2
    assert "claim_lost" not in setup.log


async def test_a_job_claimed_just_before_the_worker_was_killed_is_reported_by_its_successor(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Nothing of it is in the journal: only the engine knows.

    Nor is it known whether the block ran, as it does while the disk is full: the result must not deny it.
    """
    first = start_worker(engine.url)
    await first.ready()
    (record,) = engine.workers()
    first.kill()
    job_id = engine.submit(block=ECHO, parameters={"text": "claimed, and never written down"})
    # Where the last poll of the one that was killed has not got it already.
    await poll_as(engine, record.uuid)
    assert (engine.job(job_id).status, engine.job(job_id).worker_id) == ("polled", record.uuid)
    setup = Setup(engine, start_worker(engine.url))
    await setup.worker.ready()
    result = await setup.result(job_id, seconds=AT_ONCE_SECONDS)
    assert (result["status"], [worker.uuid for worker in engine.workers()]) == ("failed", [record.uuid])
    assert "Not run" not in result["result"]["message"]
    assert "may have done a part of its work" in result["result"]["message"]
    assert result["result"].get("retryable") is None
    assert await setup.works()


async def test_a_list_of_jobs_that_fails_after_a_restart_is_told_and_jobs_are_run_all_the_same(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """A drain waits for it: its log must say why."""
    first = start_worker(engine.url)
    await first.ready()
    first.kill()
    engine.faults.add(Fault("worker_jobs", status=503, times=1000))
    setup = Setup(engine, start_worker(engine.url))
    await setup.worker.ready()
    assert "503" in await setup.logged(ClaimsUnknown)
    assert await setup.works()
    assert len(setup.lines(ClaimsUnknown)) == 1


async def test_an_engine_that_wants_a_token_is_asked_with_it(
    guarded: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    token_file.chmod(0o600)
    setup = Setup(guarded, start_worker(guarded.url, "--engine-token-file", str(token_file)))
    await setup.worker.ready()
    job_id = await lose_a_claim(setup, Fault("poll", drop="after", times=2))
    assert (await setup.result(job_id, seconds=AT_ONCE_SECONDS))["status"] == "failed"
    assert TOKEN not in setup.worker.log


async def test_without_the_token_it_is_said_once_and_the_worker_goes_on(
    guarded: DevEngine, start_worker: StartWorker
) -> None:
    setup = Setup(guarded, start_worker(guarded.url))
    await setup.worker.ready()
    for _ in range(2):
        await lose_a_claim(setup, Fault("poll", drop="after", times=2))
        asked = len(setup.sent("worker_jobs"))
        await until(lambda before=asked: len(setup.sent("worker_jobs")) > before, "the engine was asked")
        setup.engine.faults.clear()
    # One more may have been spoilt on its way, and what it claims nobody can tell here.
    polls = len(setup.sent("poll"))
    await until(lambda: len(setup.sent("poll")) > polls + 1, "polls are answered again")
    assert await setup.works()
    assert setup.worker.log.count("--engine-token-file") == 1
