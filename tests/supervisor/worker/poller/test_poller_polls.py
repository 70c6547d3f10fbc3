"""When a poll is sent, what becomes of its answer, and what a poll that broke leads to. Time is simulated."""

import asyncio
import logging

import pytest
from poller_support import INTERVAL, JOB, Scene, live, pauses, seconds

from supervisor.engine import Poll
from supervisor.errors import EngineError
from supervisor.log.events.worker import (
    PollsFailing,
    PollsNotAllowed,
    PollsRestored,
    PollTooLarge,
    PollTruncated,
)
from supervisor.worker.poller import LONGEST_PAUSE_SECONDS
from tests.log_events import facts_of, told
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import elapsed, simulate, turns


def test_it_asks_at_once_for_as_many_jobs_as_there_are_slots_under_its_uuid() -> None:
    scene = live(seconds(0.0), accepted=[block_entry("a"), block_entry("b")])
    assert scene.calls[:2] == [("look", "w-1"), ("poll", "w-1", 2, 2)]


def test_it_leaves_out_what_is_full_and_asks_for_no_more_than_the_others_take() -> None:
    blocks = [block_entry(name) for name in "abc"]
    scene = live(seconds(0.0), accepted=blocks, rooms={"a": 0, "b": 1})
    assert scene.of("poll") == [("poll", "w-1", 2, 1)]


def test_where_every_block_is_full_it_asks_only_when_one_has_room_again() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(20.25)
        assert scene.polls == []
        scene.rooms = {}
        scene.changed.set()
        await turns()
        assert scene.polls == [20.25]

    live(then, rooms={"echo": 0})


def test_without_work_it_asks_about_once_an_interval() -> None:
    scene = live(seconds(50.0))
    assert all(0.9 * INTERVAL <= pause <= 1.1 * INTERVAL for pause in pauses(scene))
    assert len({round(pause, 4) for pause in pauses(scene)}) > 10, "many workers would ask at the same moment"


def test_where_there_was_work_it_asks_again_at_once() -> None:
    scene = live(seconds(0.5), answers=[Poll((JOB,)), Poll((JOB, JOB))])
    assert pauses(scene) == [0.0, 0.0]
    assert scene.of("accept") == [("accept", 1, "w-1"), ("accept", 2, "w-1")]


def test_without_a_free_slot_it_does_not_ask_and_when_one_is_free_it_asks_at_once() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(20.25)
        assert scene.polls == []
        scene.free_slots = 1
        scene.changed.set()
        await turns()
        assert scene.polls == [20.25]

    assert live(then, free_slots=0).of("poll")[0] == ("poll", "w-1", 1, 1)


def test_a_slot_that_was_free_and_is_taken_again_does_not_have_it_look_without_a_pause() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(0.5)
        scene.changed.set()
        await asyncio.sleep(10.0)

    assert len(live(then, free_slots=0).of("look")) <= 13


def test_it_ends_at_once_when_it_is_stopped_while_no_slot_is_free() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(0.5)
        scene.poller.stop()
        await turns()
        assert scene.polling.done()

    live(then, free_slots=0)


def test_without_a_block_it_does_not_ask() -> None:
    assert live(seconds(20.0), accepted=[]).polls == []


def test_what_is_lost_is_looked_for_while_no_slot_is_free() -> None:
    assert len(live(seconds(20.5), free_slots=0).of("look")) >= 20


def test_a_paused_worker_sends_no_poll_looks_for_lost_claims_and_heeds_a_resume_at_once() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(20.25)
        assert scene.polls == []
        assert len(scene.of("look")) >= 20, "the loop turns, which the watchdog wants to see"
        scene.is_open = True
        scene.changed.set()
        await turns()
        assert scene.polls == [20.25]

    live(then, is_open=False)


def test_a_poll_that_is_on_its_way_when_the_worker_is_paused_is_awaited_counted_and_run() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(0.1)
        scene.is_open = False
        assert scene.poller.asks == 1
        await asyncio.sleep(30.0)
        assert (scene.poller.asks, len(scene.polls)) == (0, 1)

    assert live(then, answers=[Poll((JOB,))], answer_seconds=0.5).of("accept") == [("accept", 1, "w-1")]


def test_a_poll_that_broke_counts_as_one_until_the_engine_was_asked_what_it_gave_away() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(0.5)
        scene.are_suspected = True
        assert scene.poller.asks == 1

    live(then, is_open=False)


def test_a_slot_that_becomes_free_ends_the_pause() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(0.5)
        scene.changed.set()
        await turns()
        assert scene.polls == [0.0, 0.5]

    live(then)


def test_what_became_free_before_the_poll_does_not_end_the_pause_after_it() -> None:
    async def then(scene: Scene) -> None:
        scene.changed.set()
        await asyncio.sleep(0.5)
        assert len(scene.polls) == 1

    live(then)


def test_a_slot_that_becomes_free_does_not_shorten_the_pauses_of_an_engine_that_fails() -> None:
    async def then(scene: Scene) -> None:
        for _ in range(100):
            scene.changed.set()
            await asyncio.sleep(0.1)

    scene = live(then, answers=[EngineError("away")] * 1000)
    assert len(scene.polls) < 40


def test_an_engine_that_fails_is_asked_with_growing_pauses_that_end_with_its_return() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(120.0)
        scene.answers.clear()
        await asyncio.sleep(20.0)
        scene.answers[:] = [EngineError("away")] * 2
        await asyncio.sleep(20.0)

    scene = live(then, answers=[EngineError("away")] * 1000)
    assert LONGEST_PAUSE_SECONDS == 5.0
    assert 2.0 < max(pauses(scene)) <= 5.0
    assert all(pause <= 2.0 for pause in pauses(scene)[-10:]), "it begins anew after a success"


def test_the_engine_s_wish_for_a_pause_is_kept() -> None:
    scene = live(seconds(40.0), answers=[EngineError("later", status=429, retry_after_seconds=20.0)])
    assert 20.0 <= pauses(scene)[0] <= 25.0


def test_a_failure_is_told_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    away = EngineError("It is away.", status=503)
    live(seconds(60.0), answers=[away, away, Poll(()), EngineError("Again.", status=503), Poll(())])
    assert [(record.levelname, record.event, facts_of(record)) for record in caplog.records] == [
        ("WARNING", PollsFailing.name, {"reason": "It is away."}),
        ("INFO", PollsRestored.name, {}),
        ("WARNING", PollsFailing.name, {"reason": "Again."}),
        ("INFO", PollsRestored.name, {}),
    ]


@pytest.mark.parametrize(("status", "suspected"), [(None, 1), (503, 1), (200, 1), (429, 0), (400, 0)])
def test_a_poll_that_may_have_claimed_jobs_is_looked_into(status: int | None, suspected: int) -> None:
    scene = live(seconds(0.0), answers=[EngineError("broken", status=status)])
    assert len(scene.of("suspect")) == suspected
    # Also where it was the last one: nobody would ask after it any more.
    assert scene.calls[-1] == ("look", "w-1")
    assert scene.was_last_look, "nobody asks later"


def test_an_answer_that_broke_off_is_taken_as_far_as_it_came_and_looked_into(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = live(seconds(0.0), answers=[Poll((JOB,), complete=False)])
    assert scene.calls[2:4] == [("accept", 1, "w-1"), "suspect"]
    assert told(caplog, PollTruncated) == [{"jobs": 1}]


def test_more_jobs_than_there_are_slots_are_taken_and_told(caplog: pytest.LogCaptureFixture) -> None:
    scene = live(seconds(0.0), answers=[Poll((JOB,) * 2)])
    assert told(caplog, PollTooLarge) == []
    scene = live(seconds(0.0), answers=[Poll((JOB,) * 3)])
    assert scene.of("accept") == [("accept", 3, "w-1")]
    assert told(caplog, PollTooLarge) == [{"jobs": 3, "slots": 2}]


def test_a_poll_that_was_sent_is_awaited_to_its_end() -> None:
    """Its answer is the claim."""

    async def then(scene: Scene) -> None:
        await asyncio.sleep(1.0)

    scene = live(then, answers=[Poll((JOB,))], answer_seconds=30.0)
    assert scene.of("poll", "accept") == [("poll", "w-1", 1, 2), ("accept", 1, "w-1")]
    assert scene.arrival_seconds == pytest.approx(30.0), "the engine may have claimed its jobs as long ago"


@pytest.mark.parametrize("slots", [0, 2])
def test_the_end_is_not_held_up_by_a_pause(slots: int) -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(0.25)
        scene.poller.stop()
        await turns()
        assert elapsed() == 0.25
        assert scene.calls[-1] == ("look", "w-1")

    live(then, free_slots=slots)


def test_no_poll_is_sent_after_the_end_was_asked_for() -> None:
    async def life() -> Scene:
        scene = Scene()
        scene.poller.stop()
        await scene.poller.poll_until_stopped()
        return scene

    assert simulate(life()).calls == [("look", "w-1")]


def test_no_poll_is_sent_after_an_end_that_was_asked_for_while_it_looked_for_lost_claims() -> None:
    assert live(seconds(0.5), look_seconds=1.0).polls == []


@pytest.mark.parametrize(("status", "advice"), [(401, "token"), (403, "token"), (407, "HTTP_PROXY")])
def test_that_the_worker_is_not_let_in_is_said_once_as_an_error_with_what_to_do(
    caplog: pytest.LogCaptureFixture, status: int, advice: str
) -> None:
    live(seconds(60.0), answers=[EngineError("No.", status=status)] * 5 + [Poll(())] * 100)
    (said,) = told(caplog, PollsNotAllowed)
    assert advice in said["advice"]


@pytest.mark.parametrize("where", ["answer", "look"])
def test_without_memory_it_pauses_looks_for_what_was_claimed_and_goes_on(
    caplog: pytest.LogCaptureFixture, where: str
) -> None:
    async def then(scene: Scene) -> None:
        if where == "look":
            real, left = scene.look, [MemoryError()] * 3

            async def look(worker_uuid: str, *, last: bool = False) -> None:
                if left:
                    raise left.pop()
                await real(worker_uuid)

            scene.look = look  # type: ignore[method-assign]
        else:
            scene.answers = [MemoryError()] * 3
        await asyncio.sleep(60.0)
        assert not scene.polling.done()
        assert scene.poller.problem is None

    scene = live(then)
    assert scene.of("suspect") == ["suspect"] * 3
    assert len(scene.polls) > 30
    (failing,) = told(caplog, PollsFailing)
    assert "(ENOMEM)" in failing["reason"]
    assert not scene.poller.problem


def test_whoever_counts_learns_of_each_poll_that_was_answered_and_of_each_that_was_not() -> None:
    scene = live(seconds(0.5), answers=[Poll((JOB,)), EngineError("away")])
    # The next one follows after a pause that chance decides.
    assert scene.observed.told[:2] == [("poll_answered",), ("poll_failed",)]
