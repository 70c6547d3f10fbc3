"""A worker that the engine is said to have forgotten: it is itself again where that was wrong, and says so before."""

import asyncio

import pytest
from registration_support import AWAY, Scene, refusal

from supervisor.log.events.worker import RegistrationKept, WorkerExpired
from supervisor.worker.heartbeat import Heartbeat
from tests.log_events import told
from tests.simulated_time import simulate, turns


def test_a_worker_that_the_engine_knows_after_all_keeps_its_uuid_and_its_blocks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A proxy answered 404 while the engine was away. Another worker would fail the jobs that run here."""
    caplog.set_level("INFO")
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.calls.clear()
        scene.engine.is_hidden = True
        renewing = asyncio.ensure_future(scene.registration.renew("w-1"))
        await asyncio.sleep(20.0)
        assert not renewing.done()
        scene.engine.is_hidden = False
        await renewing

    simulate(live())
    assert (scene.registration.uuid, scene.accepted, scene.engine.registered) == ("w-1", ["a", "b"], 1)
    assert not [call for call in scene.calls if call[0] in ("block", "remember")]
    assert told(caplog, WorkerExpired) == told(caplog, RegistrationKept) == [{"worker": "w-1"}]


def test_who_says_that_the_worker_is_unknown_is_not_believed_where_the_engine_knows_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.calls.clear()
        await scene.registration.renew("w-1")

    simulate(live())
    assert scene.calls == [("ping", "w-1")]
    assert told(caplog, WorkerExpired) == []


def test_a_worker_whose_own_row_fills_the_licence_is_itself_again_as_soon_as_the_engine_knows_it() -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.forget_workers()
        scene.engine.errors = {"register": [refusal(403)] * 1000}
        renewing = asyncio.ensure_future(scene.registration.renew("w-1"))
        await asyncio.sleep(60.0)
        scene.engine.knows.add("w-1")
        await renewing

    simulate(live())
    assert (scene.registration.uuid, scene.accepted) == ("w-1", ["a", "b"])


def test_a_worker_that_the_engine_does_not_take_back_says_so_until_it_does() -> None:
    scene = Scene()
    problems: list[str | None] = []

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.forget_workers()
        scene.engine.errors = {"ping": [AWAY], "register": [refusal(403)] * 3}
        renewing = asyncio.ensure_future(scene.registration.renew("w-1"))
        problems.append(scene.registration.problem)
        await turns()
        problems.append(scene.registration.problem)
        await asyncio.sleep(1.2)
        problems.append(scene.registration.problem)
        await renewing
        problems.append(scene.registration.problem)

    simulate(live())
    unknown = "the engine does not know this worker any more, and has not taken it back yet"
    assert problems == [None, f"{unknown}: It is away.", f"{unknown}: It does not want it.", None]


def test_a_renewal_that_is_given_up_says_nothing_more() -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.is_hidden = True
        renewing = asyncio.ensure_future(scene.registration.renew("w-1"))
        await turns()
        assert scene.registration.problem
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)

    simulate(live())
    assert scene.registration.problem is None


def test_beats_do_not_queue_up_where_the_engine_does_not_take_the_worker_back() -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        heartbeat = Heartbeat(scene.engine, scene.registration, 10.0)  # type: ignore[arg-type]
        beating = asyncio.ensure_future(heartbeat.beat_for_ever())
        await turns()
        scene.engine.forget_workers()
        scene.engine.errors = {"register": [refusal(403)] * 1000}
        await asyncio.sleep(605.0)
        assert len(scene.registration.pings) == 1
        scene.engine.errors.clear()
        await asyncio.sleep(60.0)
        assert not scene.registration.pings
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)

    simulate(live())
    assert scene.registration.uuid == "w-2"
