"""What users of comparable workers complain of, where no other test names it. `docs/complaints.md` has them all."""

import signal
import time
from collections.abc import Callable

import psutil
import pytest
from contract_support import ECHO, Setup
from contract_worker import Worker

from sdk.devengine import DevEngine, Fault
from supervisor.log.events.jobs import JobEnded
from tests.patience import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

StartWorker = Callable[..., Worker]
AT_ONCE_SECONDS = 30.0
"""On a machine that is busy with others; the engine's delays below are longer."""


async def test_an_engine_that_does_not_answer_holds_up_neither_limits_nor_logs_nor_the_ends_of_jobs(
    fresh: Setup,
) -> None:
    """apache/airflow#73244: retries of a heartbeat block the supervisor, which then notices no end of a child."""
    running = fresh.engine.submit(block="neops_testing/hang_sleep:1.0.0")
    ending = fresh.engine.submit(block="contract/short_time:1.0.0")
    await fresh.started(ending)
    for route in ("ping", "result"):
        fresh.engine.faults.add(Fault(route, delay_seconds=60, times=1000))  # type: ignore[arg-type]  # both are routes
    await fresh.logged(JobEnded, ending, "(time_limit)", seconds=AT_ONCE_SECONDS)
    assert fresh.engine.job(running).status == "polled"
    fresh.worker.signal(signal.SIGTERM)
    fresh.worker.signal(signal.SIGINT)
    await fresh.logged(JobEnded, running, "(worker_stopping)", seconds=AT_ONCE_SECONDS)


async def test_a_block_that_waits_for_a_mute_device_ends_at_its_limit_and_the_next_ones_run(
    setup: Setup,
) -> None:
    """Bogdanp/dramatiq#211: an exception can't interrupt a blocked socket, and the workers run out one by one.

    More of them than there are slots, and ytti/oxidized#908 is the same.
    """
    jobs = [setup.engine.submit(block="contract/mute_device:1.0.0") for _ in range(4)]
    for job_id in jobs:
        result = (await setup.result(job_id))["result"]
        assert "time limit" in result["message"]
        assert "waiting.py" in result["message"]
    assert await setup.works()


async def test_a_job_that_can_not_be_taken_on_is_reported_and_never_left_to_nobody(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """actions/runner#4598: the worker hangs before it has read the job, which then belongs to nobody.

    Here no child can be started for it: the template is stopped, and waited for as long as a start may take. What
    ends the wait is the shutdown, and the job has its result before the worker exits.
    """
    setup = Setup(engine, start_worker(engine.url, "--max-concurrent-jobs", "1"))
    await setup.worker.ready()
    # Both of them: a child on its way is called like the template for a moment.
    await until(lambda: len(_children(setup, "neops-spare")) == 2, "there are spares")
    (template,) = _children(setup, "neops-template")
    template.send_signal(signal.SIGSTOP)
    for spare in _children(setup, "neops-spare"):
        spare.kill()
    job_id = engine.submit(block=ECHO, parameters={"text": "nobody's"})
    await until(lambda: engine.job(job_id).status == "polled", "the job is claimed")
    setup.worker.signal(signal.SIGTERM, signal.SIGINT)
    template.send_signal(signal.SIGCONT)
    assert await setup.worker.exit_code() == 0
    assert engine.job(job_id).finished_by == "worker"


async def test_limits_hold_and_a_second_signal_is_heard_while_the_worker_drains(fresh: Setup) -> None:
    """celery/celery#8417: after the warm shutdown has begun, nothing can end a job any more."""
    hanging = fresh.engine.submit(block="neops_testing/hang_sleep:1.0.0")
    await fresh.started(hanging)
    limited = fresh.engine.submit(block="contract/short_time:1.0.0")
    await fresh.started(limited)
    fresh.worker.terminate()
    await fresh.logged(JobEnded, limited, "(time_limit)", seconds=AT_ONCE_SECONDS)
    begun = time.monotonic()
    fresh.worker.signal(signal.SIGINT)
    await fresh.logged(JobEnded, hanging, "(worker_stopping)", seconds=AT_ONCE_SECONDS)
    assert await fresh.worker.exit_code() == 0
    assert time.monotonic() - begun < 2 * AT_ONCE_SECONDS


def _children(setup: Setup, name: str) -> list[psutil.Process]:
    """The supervisor's children of this name, for as long as they live."""
    return [
        child
        for child in psutil.Process(setup.worker.supervisor_pid).children()
        if child.name() == name and child.status() != psutil.STATUS_ZOMBIE
    ]
