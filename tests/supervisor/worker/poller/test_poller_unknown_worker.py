"""Polls that are answered with 404: the worker registers anew, unless the engine knows it after all."""

import asyncio

import pytest
from poller_support import INTERVAL, Scene, live, pauses, seconds

from supervisor.errors import EngineError
from supervisor.log.events.worker import PollsFailing, PollsRestored
from supervisor.worker.late_poll import LATE_SECONDS
from tests.log_events import told
from tests.simulated_time import turns

UNKNOWN = EngineError("unknown", status=404)


def test_a_worker_that_the_engine_has_forgotten_registers_anew_and_asks_an_interval_later() -> None:
    scene = live(seconds(1.5), answers=[UNKNOWN], renew_seconds=0.25)
    assert scene.of("renew", "poll")[:3] == [
        ("poll", "w-1", 1, 2),
        ("renew", "w-1"),
        ("poll", "w-2", 1, 2),
    ]
    assert pauses(scene)[0] == pytest.approx(INTERVAL + 0.25)
    assert scene.of("suspect") == []


def test_registering_anew_does_not_hold_up_the_end() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(1.0)
        scene.poller.stop()
        await turns()
        assert scene.of("renewal given up")

    live(then, answers=[UNKNOWN], renew_seconds=10_000.0)


def test_while_it_registers_anew_it_sends_no_poll_and_none_counts_as_on_its_way() -> None:
    async def then(scene: Scene) -> None:
        for _ in range(60):
            await asyncio.sleep(1.0)
            scene.changed.set()
            assert (len(scene.polls), scene.poller.asks) == (1, 0)
        await asyncio.sleep(40.0)
        assert len(scene.polls) > 1

    live(then, answers=[UNKNOWN], renew_seconds=90.0)


def test_a_late_poll_that_is_answered_with_404_has_it_register_anew_too() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(LATE_SECONDS + 1.0)
        scene.answer_seconds = 0.0
        await asyncio.sleep(5.0)

    scene = live(then, answers=[UNKNOWN], answer_seconds=LATE_SECONDS + 2.0)
    assert scene.of("renew") == [("renew", "w-1")]
    assert scene.of("poll")[-1] == ("poll", "w-2", 1, 2)


def test_a_404_of_which_the_engine_knows_nothing_is_a_failure_with_pauses_that_grow(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as that of a proxy which does not let polls through."""
    caplog.set_level("INFO")

    async def then(scene: Scene) -> None:
        await asyncio.sleep(120.0)
        assert scene.poller.problem == "unknown"
        assert len(scene.polls) < 60
        scene.answers.clear()
        await asyncio.sleep(10.0)
        assert scene.poller.problem is None

    scene = live(then, answers=[UNKNOWN] * 1000, is_known_after_all=True)
    assert scene.observed.told[0] == ("poll_failed",)
    assert scene.uuid == "w-1"
    assert told(caplog, PollsFailing) == [{"reason": "unknown"}]
    assert told(caplog, PollsRestored) == [{}]
