"""A start on which much goes wrong: conformance tests 12 and 13 of the engine contract, all seen on one worker."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from contract_support import CLIENT, Setup, body_of, registered
from contract_worker import Worker

from sdk.devengine import DevEngine, EngineOptions, Fault
from supervisor.log.events.blocks import BlockRefused
from supervisor.log.events.worker import (
    ClientDeprecated,
    CompatibilityUnknown,
    RegistrationFailing,
)

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

PAGE = "<html><body>Log in</body></html>"
DEPRECATED = {"compatible": True, "deprecated": True, "version": "0.42.1"}
FAULTS = (
    Fault("compatibility", body=PAGE, content_type="text/html"),
    Fault("compatibility", body=DEPRECATED),
    Fault("register", body=PAGE, content_type="text/html"),
    Fault("register_block", handle=True, status=201),
    Fault("register_block", status=400, body={"message": "incompatible"}),
    Fault("register_block", handle=True, status=409),
    Fault("register_block", status=503),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def troubled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    """A worker that has come up in spite of all `FAULTS`."""
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        for fault in FAULTS:
            engine.faults.add(fault)
        worker = Worker(engine.url, tmp_path_factory.mktemp("troubled"), "--worker-name", "my worker")
        try:
            await worker.ready()
            assert engine.faults.waiting == 0
            yield Setup(engine, worker)
        finally:
            worker.kill()
            print(worker.log)


async def test_a_web_page_in_place_of_an_answer_is_named_and_the_engine_waited_for(troubled: Setup) -> None:
    """Number 13: at the version check it is no reason to stop, at the registration one to try again."""
    assert "Log in" in await troubled.logged(CompatibilityUnknown)
    assert "Log in" in await troubled.logged(RegistrationFailing)
    assert len(troubled.engine.workers()) == 1
    assert troubled.engine.workers()[0].name == "my worker"


async def test_a_worker_says_which_client_it_has_and_is_told_that_it_is_deprecated(troubled: Setup) -> None:
    """Number 13, W1."""
    asked = [body_of(request) for request in troubled.sent("compatibility")]
    assert asked == [{"version": CLIENT, "library": "neops_workflow_engine_client"}] * 2
    assert " WARNING " in await troubled.logged(ClientDeprecated)


async def test_an_engine_that_does_not_know_of_retryable_is_not_sent_it(troubled: Setup) -> None:
    """Its version says so, whatever the installed client knows."""
    result = await troubled.run("contract/fails:1.0.0", {"choice": "final"})
    assert result["success"] is False
    assert "retryable" not in result


async def test_a_refused_block_is_named_in_an_error_and_the_others_work(troubled: Setup) -> None:
    """Number 12, I11: 400 harms only the block that it is for, and it is not offered."""
    (refused,) = registered(troubled, 400)
    line = await troubled.logged(BlockRefused, refused)
    assert " ERROR " in line
    assert "not offered" in line
    assert "incompatible" in line
    assert await troubled.works()
    offered = body_of(troubled.sent("poll")[-1])["functionBlockIds"]
    accepted = registered(troubled, 201) + registered(troubled, 409)
    assert {f"{block['package']}/{block['name']}" for block in offered} == set(accepted)
    assert refused not in accepted


async def test_registering_goes_on_where_a_passing_trouble_interrupted_it(troubled: Setup) -> None:
    """Number 12: 409 is fine, and what was answered before a 503 is not sent again."""
    (conflicting,) = registered(troubled, 409)
    (interrupted,) = registered(troubled, 503)
    answered = registered(troubled, 201) + registered(troubled, 400) + [conflicting]
    assert interrupted in answered
    assert len(answered) == len(set(answered))
    # A web page is no uuid: the first registration of the worker counts for nothing.
    assert len(troubled.sent("register")) == 2
