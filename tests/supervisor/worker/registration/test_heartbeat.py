"""The heartbeat: on its beat whatever the engine does, and not after the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from registration_support import Scene

from supervisor.engine.answering import Answering
from supervisor.errors import EngineError
from supervisor.log.events.worker import HeartbeatFailing, HeartbeatRestored, TaskFailed
from supervisor.worker.heartbeat import Heartbeat
from supervisor.worker.observer import NOBODY, Observer
from tests.log_events import facts_of, told
from tests.observed import Observed
from tests.simulated_time import elapsed, simulate, stand_still, turns


def live(
    scene: Scene, then: Callable[[], Awaitable[None]], interval: float = 10.0, observer: Observer = NOBODY
) -> None:
    """Register, beat, and do what the test does meanwhile."""

    async def life() -> None:
        await scene.registration.begin(60.0)
        scene.calls.clear()
        heartbeat = Heartbeat(scene.engine, scene.registration, interval, observer=observer)  # type: ignore[arg-type]
        beating = asyncio.ensure_future(heartbeat.beat_for_ever())
        await then()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)

    simulate(life())


def beats(scene: Scene) -> list[float]:
    return [at for name, at in scene.engine.times if name == "ping"]


def test_it_beats_at_once_and_then_on_the_beat() -> None:
    scene = Scene()

    async def then() -> None:
        await asyncio.sleep(35.0)

    live(scene, then)
    assert beats(scene) == pytest.approx([0.0, 10.0, 20.0, 30.0])


def test_it_is_never_late_for_the_watchdog_whatever_the_engine_does_and_is_late_when_it_beats_no_more() -> (
    None
):
    scene, late = Scene(), []

    async def hang() -> None:
        await asyncio.sleep(3600.0)

    async def life() -> None:
        await scene.registration.begin(60.0)
        heartbeat = Heartbeat(scene.engine, scene.registration, 10.0)  # type: ignore[arg-type]
        assert heartbeat.due_at is None, "it has not begun"
        scene.engine.on_ping = hang
        beating = asyncio.ensure_future(heartbeat.beat_for_ever())
        loop = asyncio.get_running_loop()
        for second in range(400):
            await asyncio.sleep(1.0)
            if (heartbeat.due_at or 0) < loop.time():
                late.append(second)
            if second == 300:
                beating.cancel()

    simulate(life())
    assert late
    assert 300 + 15 <= late[0] <= 300 + 10 + 15 + 1


def test_an_answer_that_does_not_come_delays_no_beat_and_is_given_up_after_one() -> None:
    scene = Scene()
    given_up: list[float] = []

    async def hang() -> None:
        try:
            await asyncio.sleep(3600.0)
        finally:
            given_up.append(elapsed())

    async def then() -> None:
        scene.engine.on_ping = hang
        await asyncio.sleep(25.0)

    live(scene, then)
    assert beats(scene) == pytest.approx([0.0, 10.0, 20.0])
    assert given_up[:2] == pytest.approx([10.0, 20.0])


def test_after_a_standstill_it_beats_at_once_and_makes_up_for_nothing() -> None:
    scene = Scene()

    async def then() -> None:
        await asyncio.sleep(1.0)
        stand_still(95.0)
        await turns()
        assert len(beats(scene)) == 3  # the one that was due, and the next one by the new beat
        await asyncio.sleep(25.0)

    live(scene, then)
    assert beats(scene) == pytest.approx([0.0, 96.0, 96.0, 106.0, 116.0])


def test_a_worker_that_the_engine_has_forgotten_is_registered_anew() -> None:
    scene = Scene()

    async def then() -> None:
        await asyncio.sleep(5.0)
        scene.engine.knows.clear()
        await asyncio.sleep(20.0)

    live(scene, then)
    assert scene.registration.uuid == "w-2"
    assert [call for call in scene.calls if call[0] == "ping"] == [
        ("ping", "w-1"),
        ("ping", "w-1"),  # the beat
        ("ping", "w-1"),  # the question whether it is so
        ("ping", "w-2"),
    ]


def test_it_ends_when_the_worker_leaves() -> None:
    scene = Scene()

    async def then() -> None:
        await asyncio.sleep(5.0)
        await scene.registration.end()
        await asyncio.sleep(100.0)

    live(scene, then)
    assert beats(scene) == pytest.approx([0.0])


def test_pings_on_their_way_are_known_to_the_registration_and_forgotten_after_it() -> None:
    scene = Scene()

    async def then() -> None:
        scene.engine.on_ping = lambda: asyncio.sleep(2.0)
        await asyncio.sleep(1.0)
        assert len(scene.registration.pings) == 1
        await asyncio.sleep(2.0)
        assert not scene.registration.pings

    live(scene, then)


def test_a_heartbeat_that_is_cancelled_leaves_no_ping_behind() -> None:
    scene = Scene()

    async def life() -> None:
        await scene.registration.begin(60.0)
        scene.engine.on_ping = lambda: asyncio.sleep(3600.0)
        heartbeat = Heartbeat(scene.engine, scene.registration, 10.0)  # type: ignore[arg-type]
        beating = asyncio.ensure_future(heartbeat.beat_for_ever())
        await asyncio.sleep(1.0)
        (ping,) = scene.registration.pings._running
        beating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beating
        await turns()
        assert ping.cancelled()

    simulate(life())


def test_what_does_not_reach_the_engine_is_told_once_and_its_return_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "supervisor.worker.heartbeat")
    scene = Scene()

    async def then() -> None:
        scene.engine.errors = {"ping": [EngineError("It is away.")] * 3}
        await asyncio.sleep(55.0)
        scene.engine.errors = {"ping": [EngineError("Away once more.")]}
        await asyncio.sleep(10.0)

    live(scene, then)
    records = [record for record in caplog.records if record.name == "supervisor.worker.heartbeat"]
    assert [(record.levelname, record.event, facts_of(record)) for record in records] == [
        ("WARNING", HeartbeatFailing.name, {"reason": "It is away."}),
        ("INFO", HeartbeatRestored.name, {}),
        ("WARNING", HeartbeatFailing.name, {"reason": "Away once more."}),
    ]
    assert scene.engine.registered == 1


def test_an_engine_that_does_not_answer_in_time_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()

    async def then() -> None:
        scene.engine.on_ping = lambda: asyncio.sleep(3600.0)
        await asyncio.sleep(15.0)

    live(scene, then)
    assert told(caplog, HeartbeatFailing) == [{"reason": "no answer in time"}]
    assert scene.engine.registered == 1


def test_a_beat_that_fails_unexpectedly_is_logged_and_the_next_one_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()

    async def broken() -> None:
        raise RuntimeError("broken")

    async def then() -> None:
        scene.engine.on_ping = broken
        await asyncio.sleep(15.0)

    live(scene, then)
    assert len(beats(scene)) == 2
    assert [event["task"] for event in told(caplog, TaskFailed)] == ["beat of the heartbeat"] * 2


def test_while_somebody_doubts_that_the_engine_answers_it_is_asked_every_second_and_the_beats_stay() -> None:
    answering = Answering()
    scene = Scene()
    told: list[float] = []

    async def life() -> None:
        await scene.registration.begin(60.0)
        scene.calls.clear()
        heartbeat = Heartbeat(scene.engine, scene.registration, 10.0, answering)  # type: ignore[arg-type]
        beating = asyncio.ensure_future(heartbeat.beat_for_ever())
        await asyncio.sleep(12.5)
        answering.doubt("somebody", lambda: told.append(elapsed()))
        await asyncio.sleep(3.0)
        answering.answered(asyncio.get_running_loop().time())
        await asyncio.sleep(20.0)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)

    simulate(life())
    assert beats(scene) == pytest.approx([0.0, 10.0, 12.5, 13.5, 14.5, 20.0, 30.0])
    assert told == [15.5]


@pytest.mark.parametrize("where", ["beat", "ping"])
def test_without_memory_it_is_told_once_and_the_beats_go_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    scene, left = Scene(), [MemoryError()] * 2

    async def ping() -> None:
        if left:
            raise left.pop()

    async def then() -> None:
        if where == "ping":
            scene.engine.on_ping = ping
        else:
            start = scene.registration.pings.start

            def start_where_there_is_memory(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
                if left:
                    work.close()
                    raise left.pop()
                return start(work, name)

            monkeypatch.setattr(scene.registration.pings, "start", start_where_there_is_memory)
        await asyncio.sleep(45.0)

    live(scene, then)
    assert not left
    assert len(beats(scene)) >= 3
    (failing,) = told(caplog, HeartbeatFailing)
    assert "(ENOMEM)" in failing["reason"]
    assert not told(caplog, TaskFailed)


def test_whoever_counts_learns_how_late_each_beat_was_and_what_became_of_it() -> None:
    scene, observed = Scene(), Observed()

    async def then() -> None:
        await asyncio.sleep(1.0)
        stand_still(14.0)
        await asyncio.sleep(1.0)
        scene.engine.errors["ping"] = [EngineError("away")]
        await asyncio.sleep(10.0)

    live(scene, then, observer=observed)
    late = [told[1] for told in observed.told if told[0] == "beat_sent"]
    assert late[:2] == pytest.approx([0.0, 5.0])
    assert "beat_answered" in [told[0] for told in observed.told]
    assert [told[0] for told in observed.told].count("beat_failed") == 1
