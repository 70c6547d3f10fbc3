"""Jobs that wait: each expires at most once, and only while it waits."""

import asyncio

from jobrunner.protocol.catalogue import Catalogue
from supervisor.worker.claimed_jobs import ClaimedJob
from supervisor.worker.slots import WaitingJobs
from tests.supervisor.worker.claimed_job import claimed_job


async def test_a_job_that_has_begun_expires_no_more_and_one_that_is_claimed_again_does() -> None:
    expired: list[ClaimedJob] = []
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    waiting = WaitingJobs(Catalogue(), expired.append)
    first, again = claimed_job("a"), claimed_job("a")
    waiting.append(first)
    waiting.must_begin_within(first, 0.0)
    assert waiting.take() is first
    waiting.append(again)
    waiting.must_begin_within(again, 0.0)
    for _ in range(10):  # so many turns of the loop are more than a timer needs that is due
        await asyncio.sleep(0)
    assert expired == [again]
    assert errors == []
    assert list(waiting) == []
