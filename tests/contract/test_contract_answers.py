"""Bad answers to the poll: none of them ends the polling, and each is named (I11)."""

import pytest
from contract_support import ECHO, Setup

from sdk.devengine import Fault
from supervisor.log.events.worker import (
    PollsFailing,
    PollsRestored,
    RegistrationKept,
    RenewalFailing,
    WorkerExpired,
)
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]


async def test_jobs_of_a_poll_answered_with_200_are_run(setup: Setup) -> None:
    """A generated client takes 200 for an empty answer, and the jobs it has just claimed are lost."""
    await until(lambda: setup.sent("poll"), "a poll")
    setup.engine.faults.add(Fault("poll", status=200, handle=True, times=3))
    job_id = setup.engine.submit(block=ECHO, parameters={"text": "two hundred"})
    assert (await setup.result(job_id))["status"] == "success"
    await until(lambda: setup.engine.faults.waiting == 0, "the fault is over")


HTML = Fault("poll", status=201, body="<html><body>Login</body></html>", content_type="text/html")
TEXT = "[" * 100_000
BAD_ANSWERS = {
    "an HTML page": (HTML, "not JSON"),
    "an HTML page that calls itself JSON": (Fault("poll", body="<html>"), "not JSON"),
    "an object": (Fault("poll", body={"jobs": []}), "no list of jobs"),
    "null": (Fault("poll", body="null"), "no list of jobs"),
    "nothing": (Fault("poll", body=b""), "not JSON"),
    "bytes that are no text": (Fault("poll", body=b"[\xff\xfe\xfa]"), "not JSON"),
    "brackets without end": (Fault("poll", body=TEXT), "not JSON"),
    "nesting without end": (Fault("poll", body=TEXT + "]" * 100_000), "not JSON"),
    "an internal error": (Fault("poll", status=500), "500"),
    "a refusal": (Fault("poll", status=400), "400"),
    "too many requests": (Fault("poll", status=429, headers={"Retry-After": "0.1"}), "429"),
    "a redirect": (
        Fault("poll", status=302, headers={"Location": "http://127.0.0.1:9/"}),
        "is there a proxy",
    ),
    "no answer": (Fault("poll", drop="before"), "No answer"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_bad_answer_to_a_poll_is_named_and_polling_goes_on(setup: Setup, name: str) -> None:
    fault, told = BAD_ANSWERS[name]
    setup.engine.faults.add(fault)
    assert told in await setup.logged(PollsFailing)
    await setup.logged(PollsRestored)
    assert await setup.works()


async def test_an_answer_that_breaks_off_does_not_put_its_secrets_into_the_log(setup: Setup) -> None:
    """I9: a job list that is cut off is no JSON, but still full of passwords."""
    cut_off = '[{"context": {"devices": [{"id": 1, "password": "cut-off-secret'
    setup.engine.faults.add(Fault("poll", body=cut_off))
    await setup.logged(PollsFailing)
    await setup.logged(PollsRestored)
    assert "cut-off-secret" not in setup.log


async def test_a_404_to_a_poll_of_a_worker_that_the_engine_knows_makes_no_other_worker(setup: Setup) -> None:
    """W5: a proxy says it too. Another worker would count against the licence, and fail the jobs of this one."""
    (worker,) = setup.engine.workers()
    setup.engine.faults.add(Fault("poll", status=404, times=2))
    assert "404" in await setup.logged(PollsFailing)
    await setup.logged(PollsRestored)
    assert await setup.works()
    assert [each.uuid for each in setup.engine.workers()] == [worker.uuid]
    assert not setup.lines(WorkerExpired)


async def test_a_worker_that_a_proxy_has_hidden_from_the_engine_is_the_same_one_afterwards(
    setup: Setup,
) -> None:
    """While the engine is away, a proxy may say 404 to everything."""
    (worker,) = setup.engine.workers()
    for route in ("ping", "poll", "register"):
        setup.engine.faults.add(Fault(route, status=404, times=1000))
    await setup.logged(RenewalFailing)
    setup.engine.faults.clear()
    await setup.logged(RegistrationKept)
    assert await setup.works()
    assert [each.uuid for each in setup.engine.workers()] == [worker.uuid]
