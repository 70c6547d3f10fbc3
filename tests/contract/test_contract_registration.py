"""The start: conformance tests 12 and 13 (engine contract §9), and engines that can't be reached."""

import importlib.metadata
import socket
from collections.abc import Callable

import pytest
from contract_support import Setup, body_of
from contract_worker import Worker, until

from sdk.devengine import DevEngine, Fault

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]

CLIENT = importlib.metadata.version("neops_workflow_engine_client").replace("b", "-beta.")


def block_ids(setup: Setup, status: int) -> list[str]:
    """The blocks of the registrations that were answered with ``status``, as ``package/name``."""
    bodies = [body_of(each) for each in setup.sent("register_block") if each.status == status]
    return [f"{body['package']}/{body['name']}" for body in bodies]


def polled_ids(setup: Setup) -> set[str]:
    return {
        f"{block['package']}/{block['name']}" for block in body_of(setup.sent("poll")[-1])["functionBlockIds"]
    }


async def test_every_block_is_registered_for_this_worker_without_defaults(setup: Setup) -> None:
    """Number 12, W3: `workerId` ties a block to its worker; the engine would write a default into parameters."""
    await setup.forget_worker()
    await setup.logged("Registered as worker")
    count = len(setup.engine.registrations())
    await until(lambda: len(setup.sent("register_block")) == count, "all blocks are registered")
    (worker,) = setup.engine.workers()
    bodies = [body_of(request) for request in setup.sent("register_block")]
    assert {body["workerId"] for body in bodies} == {worker.uuid}
    assert all('"default"' not in request.body_text for request in setup.sent("register_block"))
    assert {body["name"]: body.get("reversible") for body in bodies}["undo"] is True


async def test_a_refused_block_is_named_in_an_error_and_the_others_work(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 12, I11: 400 harms only the block that it is for."""
    engine.faults.add(Fault("register_block", status=400, body={"message": "incompatible"}))
    setup = Setup(engine, start_worker(engine.url))
    await setup.worker.ready()
    (refused,) = block_ids(setup, 400)
    line = await setup.logged(f"Block {refused}")
    assert " ERROR " in line
    assert "not offered" in line
    assert "incompatible" in line
    assert await setup.works()
    assert refused not in polled_ids(setup)
    assert polled_ids(setup) == set(block_ids(setup, 201))
    assert len(block_ids(setup, 400)) == 1


async def test_a_refused_block_ends_a_worker_that_requires_all_of_them(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 12: with --require-all-blocks a 400 is fatal, with the block named."""
    engine.faults.add(Fault("register_block", status=400))
    setup = Setup(engine, start_worker(engine.url, "--require-all-blocks"))
    assert await setup.worker.exit_code() == 1
    (refused,) = block_ids(setup, 400)
    assert refused in setup.log.splitlines()[-1]
    assert setup.sent("poll") == []


async def test_a_worker_none_of_whose_blocks_is_accepted_ends(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 12: it would poll for nothing."""
    engine.faults.add(Fault("register_block", status=403, times=100))
    setup = Setup(engine, start_worker(engine.url))
    assert await setup.worker.exit_code() == 1
    assert "none of the blocks" in setup.log


async def test_registering_goes_on_where_a_passing_trouble_interrupted_it(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 12 and 13: 409 is fine, and what was accepted before a 503 is not sent again.

    The engine answers the version check with 400, as older ones do. That stops nothing; the client that was installed
    for this engine is then the best guess at what it knows of (§5.4).
    """
    engine.faults.add(Fault("compatibility", status=400, times=2))
    engine.faults.add(Fault("register_block", handle=True, status=201))
    engine.faults.add(Fault("register_block", handle=True, status=409))
    engine.faults.add(Fault("register_block", status=503))
    setup = Setup(engine, start_worker(engine.url))
    await setup.worker.ready()
    engine.faults.clear()
    await setup.logged("did not say whether it is compatible")
    accepted = block_ids(setup, 201) + block_ids(setup, 409)
    assert len(accepted) == len(set(accepted)) == len(engine.registrations())
    assert await setup.works()
    assert polled_ids(setup) == set(accepted)
    assert len(setup.sent("register")) == 1
    final = engine.submit(block="contract/fails:1.0.0", parameters={"choice": "final"})
    assert ("retryable" in (await setup.result(final))["result"]) == (CLIENT == "0.43.0-beta.8")


async def test_a_worker_says_which_client_it_has_and_is_told_when_it_is_deprecated(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 13, W1. To an engine that does not know ``retryable`` it is not sent (§5.4)."""
    answer = {"compatible": True, "deprecated": True, "version": "0.42.1"}
    engine.faults.add(Fault("compatibility", body=answer))
    setup = Setup(engine, start_worker(engine.url, "--worker-name", "my worker"))
    await setup.worker.ready()
    asked = body_of(setup.sent("compatibility")[0])
    assert asked == {"version": CLIENT, "library": "neops_workflow_engine_client"}
    assert " WARNING " in await setup.logged("deprecated")
    assert engine.workers()[0].name == "my worker"
    job_id = engine.submit(block="contract/fails:1.0.0", parameters={"choice": "final"})
    assert "retryable" not in (await setup.result(job_id))["result"]


async def test_an_incompatible_engine_stops_the_worker(engine: DevEngine, start_worker: StartWorker) -> None:
    """Number 13: a plain no is a no. The message names both versions."""
    answer = {"compatible": False, "deprecated": False, "version": "9.9.9"}
    engine.faults.add(Fault("compatibility", body=answer))
    setup = Setup(engine, start_worker(engine.url))
    assert await setup.worker.exit_code() == 1
    last = setup.log.splitlines()[-1]
    assert "9.9.9" in last
    assert CLIENT in last
    assert setup.sent("register") == []


async def test_an_engine_that_answers_html_is_named_and_waited_for(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 13: a version check that can't be read, and a proxy's page in place of a registration."""
    page = "<html><body>Log in</body></html>"
    engine.faults.add(Fault("compatibility", body=page, content_type="text/html", times=2))
    engine.faults.add(Fault("register", body=page, content_type="text/html"))
    setup = Setup(engine, start_worker(engine.url))
    assert "Log in" in await setup.logged("Trying again in")
    await setup.worker.ready()
    assert len(engine.workers()) == 1


async def test_an_engine_that_comes_late_is_waited_for_with_a_visible_countdown(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 13: unreachable at the version check is no reason to stop."""
    port = int(engine.url.rpartition(":")[2])
    await engine.stop()
    setup = Setup(engine, start_worker(f"http://127.0.0.1:{port}"))
    line = await setup.logged("giving up in")
    assert f"127.0.0.1:{port}" in line
    assert "Connection refused" in line
    await engine.start(port)
    await setup.worker.ready()
    assert await setup.works()


async def test_an_engine_that_stays_away_ends_the_worker_with_a_clear_message(
    start_worker: StartWorker,
) -> None:
    with socket.socket() as nobody:
        # Bound and not listening: refuses every connection, and nobody else can take the port meanwhile.
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        worker = start_worker(url, "--startup-retry-seconds", "1.5")
        assert await worker.exit_code() == 1
    assert worker.log.count("Trying again in") >= 2
    last = worker.log.splitlines()[-1]
    assert "could not be reached for 1.5 s" in last
    assert "--engine-url" in last
    assert "Traceback" not in worker.log


async def test_a_worker_that_is_told_to_stop_while_it_waits_for_the_engine_stops(
    start_worker: StartWorker,
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        worker = start_worker(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        await until(lambda: "Trying again in" in worker.log, "the countdown")
        worker.terminate()
        assert await worker.exit_code() == 0
