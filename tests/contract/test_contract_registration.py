"""The start: conformance tests 12 and 13 of the engine contract, and engines that can't be reached."""

import socket
from collections.abc import Callable

import pytest
from contract_support import CLIENT, Setup, body_of, lines_of, registered
from contract_worker import Worker

from sdk.devengine import DevEngine, Fault
from supervisor.log.events.worker import CompatibilityUnknown, Registered, RegistrationFailing
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]


async def test_every_block_is_registered_for_this_worker_without_defaults(setup: Setup) -> None:
    """Number 12, W3: `workerId` ties a block to its worker; the engine would write a default into parameters."""
    await setup.forget_worker()
    await setup.logged(Registered)
    count = len(setup.engine.registrations())
    await until(lambda: len(setup.sent("register_block")) == count, "all blocks are registered")
    (worker,) = setup.engine.workers()
    bodies = [body_of(request) for request in setup.sent("register_block")]
    assert {body["workerId"] for body in bodies} == {worker.uuid}
    assert all('"default"' not in request.body_text for request in setup.sent("register_block"))
    assert {body["name"]: body.get("reversible") for body in bodies}["undo"] is True


async def test_a_refused_block_ends_a_worker_that_requires_all_of_them(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 12: with --require-all-blocks a 400 is fatal, with the block named."""
    engine.faults.add(Fault("register_block", status=400))
    setup = Setup(engine, start_worker(engine.url, "--require-all-blocks"))
    assert await setup.worker.exit_code() == 1
    (refused,) = registered(setup, 400)
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


async def test_an_engine_that_comes_late_is_waited_for_with_a_visible_countdown(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    """Number 13: an engine that is away, or answers the version check with 400 as older ones do, stops nothing.

    What it knows of is then judged by the client that was installed for it.
    """
    port = int(engine.url.rpartition(":")[2])
    await engine.stop()
    setup = Setup(engine, start_worker(f"http://127.0.0.1:{port}"))
    line = await setup.logged(RegistrationFailing)
    assert f"127.0.0.1:{port}" in line
    assert "Connection refused" in line
    engine.faults.add(Fault("compatibility", status=400))
    await engine.start(port)
    await setup.worker.ready()
    await setup.logged(CompatibilityUnknown)
    final = engine.submit(block="contract/fails:1.0.0", parameters={"choice": "final"})
    assert ("retryable" in (await setup.result(final))["result"]) == (CLIENT == "0.43.0-beta.8")


async def test_an_engine_that_stays_away_ends_the_worker_with_a_clear_message(
    start_worker: StartWorker,
) -> None:
    with socket.socket() as nobody:
        # Bound and not listening: refuses every connection, and nobody else can take the port meanwhile.
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        worker = start_worker(url, "--startup-retry-seconds", "1.5")
        assert await worker.exit_code() == 1
    assert len(lines_of(worker.log, RegistrationFailing)) >= 2
    last = worker.log.splitlines()[-1]
    assert "could not be reached within 1.5 s" in last
    assert "--engine-url" in last
    assert "Traceback" not in worker.log


async def test_a_worker_that_is_told_to_stop_while_it_waits_for_the_engine_stops(
    start_worker: StartWorker,
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        worker = start_worker(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        await until(lambda: lines_of(worker.log, RegistrationFailing), "the countdown")
        worker.terminate()
        assert await worker.exit_code() == 0
