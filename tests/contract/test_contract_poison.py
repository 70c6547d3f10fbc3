"""A job that kills its process each time: refused after the third, by a real worker, and nobody else is."""

import signal

import pytest
from contract_support import Setup

from supervisor.log.events.jobs import BlockQuarantined, JobNotRun
from supervisor.log.events.worker import Reloaded

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

EXIT = "neops_testing/exit_code:1.0.0"
RAISE = "neops_testing/raise_error:1.0.0"


async def test_a_job_that_has_killed_its_process_three_times_is_refused_at_once_and_for_good(
    setup: Setup,
) -> None:
    for _ in range(3):
        assert "exit code 41" in (await setup.run(EXIT, {"code": 41}))["message"]
    line = await setup.logged(BlockQuarantined)
    assert "exit code 41, exit code 41, exit code 41" in line
    refused = await setup.run(EXIT, {"code": 41})
    assert (refused["success"], refused["retryable"]) == (False, False)
    for told in ("3 times", "exit code 41", "60 min", "Correct the block", "restart"):
        assert told in refused["message"]
    await setup.logged(JobNotRun, "(quarantined)")
    assert len(setup.lines(BlockQuarantined)) == 1
    # The same block with other parameters, and everything else, is run.
    assert "exit code 42" in (await setup.run(EXIT, {"code": 42}))["message"]
    assert await setup.works()


async def test_a_block_that_raises_is_never_refused(setup: Setup) -> None:
    for _ in range(4):
        assert "ValueError" in (await setup.run(RAISE))["message"]


async def test_a_reload_forgets_what_killed_its_process(setup: Setup) -> None:
    for _ in range(3):
        assert "exit code 43" in (await setup.run(EXIT, {"code": 43}))["message"]
    assert "3 times" in (await setup.run(EXIT, {"code": 43}))["message"]
    setup.worker.signal(signal.SIGHUP)
    await setup.logged(Reloaded)
    assert "Its process ended by itself" in (await setup.run(EXIT, {"code": 43}))["message"]
