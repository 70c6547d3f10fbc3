"""Workers are restarted one after the other, as in an upgrade: jobs go on meanwhile, and none is interrupted."""

from collections.abc import Callable

import pytest
from contract_support import ECHO, SLOW, Setup
from contract_worker import Worker

from sdk.devengine import DevEngine
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]


async def test_while_one_worker_is_restarted_its_job_ends_and_the_other_takes_the_next_ones(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    flags = ("--function-blocks", "blocks.testing", "--max-concurrent-jobs", "1")
    workers = {name: start_worker(engine.url, *flags, name=name) for name in ("one", "two")}
    for worker in workers.values():
        await worker.ready()
    running = engine.submit(block=SLOW, parameters={"seconds": 1.5})
    await until(lambda: engine.job(running).status == "polled", "one of the two has the job")
    await until(lambda: any(running in worker.log for worker in workers.values()), "it says so")
    busy = next(name for name, worker in workers.items() if running in worker.log)
    (other,) = workers.keys() - {busy}
    workers[busy].terminate()
    meanwhile = [engine.submit(block=ECHO, parameters={"text": str(number)}) for number in range(5)]
    await until(
        lambda: all(engine.job(job).finished_at for job in meanwhile), "the other worker has run them"
    )
    assert await workers[busy].exit_code() == 0
    again = start_worker(engine.url, *flags, name=busy)
    await again.ready()
    workers[other].terminate()
    after = engine.submit(block=ECHO, parameters={"text": "after"})
    await Setup(engine, again).result(after)
    assert await workers[other].exit_code() == 0
    jobs = [engine.job(job) for job in (running, *meanwhile, after)]
    assert [(job.result_status, job.finished_by, job.attempts) for job in jobs] == [
        ("success", "worker", 1)
    ] * 7
