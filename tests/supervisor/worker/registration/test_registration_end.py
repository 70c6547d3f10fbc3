"""Leaving: nothing may bring this worker back after the engine was told that it is gone."""

import asyncio

import pytest
from registration_support import Scene

from supervisor.errors import EngineError
from supervisor.log.events.worker import UnregistrationFailed
from supervisor.worker.registration import LAST_PINGS_SECONDS
from tests.log_events import told
from tests.simulated_time import elapsed, simulate


def test_pings_on_their_way_are_waited_for_before_the_unregistration() -> None:
    """One that arrived after it would bring this worker back (contract W4)."""
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)

        async def ping() -> None:
            await asyncio.sleep(1.0)
            scene.calls.append("the ping has arrived")

        scene.registration.pings.start(ping(), "ping")
        assert not scene.registration.leaving
        await scene.registration.end()
        assert scene.registration.leaving

    simulate(live())
    assert scene.calls[-2:] == ["the ping has arrived", ("unregister", "w-1")]


def test_no_ping_begins_while_those_on_their_way_are_waited_for() -> None:
    scene = Scene()

    async def live() -> bool:
        await scene.registration.begin(60.0)
        scene.registration.pings.start(asyncio.sleep(1.0), "ping")
        ending = asyncio.ensure_future(scene.registration.end())
        await asyncio.sleep(0.5)
        leaving = scene.registration.leaving
        await ending
        return leaving

    assert simulate(live())


def test_a_ping_that_hangs_delays_the_end_by_two_seconds_at_most() -> None:
    scene = Scene()

    async def live() -> float:
        await scene.registration.begin(60.0)
        hanging = scene.registration.pings.start(asyncio.sleep(3600.0), "ping")
        await scene.registration.end()
        hanging.cancel()
        return elapsed()

    assert LAST_PINGS_SECONDS == 2.0
    assert simulate(live()) == pytest.approx(2.0)
    assert scene.calls[-1] == ("unregister", "w-1")


def test_an_engine_that_can_not_be_told_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        scene.engine.errors = {"unregister": [EngineError("It is away.")]}
        await scene.registration.end()

    simulate(live())
    assert told(caplog, UnregistrationFailed) == [{"reason": "It is away."}]


def test_it_leaves_without_a_word_to_the_engine_if_asked() -> None:
    scene = Scene()

    async def live() -> None:
        await scene.registration.begin(60.0)
        await scene.registration.end(unregister=False)
        assert scene.registration.leaving

    simulate(live())
    assert ("unregister", "w-1") not in scene.calls
