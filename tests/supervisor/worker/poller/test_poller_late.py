"""Polls that get no answer: awaited, beside others for the slots that they do not cover. Time is simulated."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from supervisor.engine import LostJob
from supervisor.engine.api import Poll
from supervisor.engine.arrival import LONGEST_SECONDS, Arrival
from supervisor.errors import EngineError
from supervisor.log.events.worker import PollsFailing, PollsRestored
from supervisor.worker.late_poll import ASK_SECONDS, GRACE_SECONDS, LATE_SECONDS
from supervisor.worker.poller import Poller
from tests.log_events import told
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import elapsed, simulate, turns

TIME_OUT = 15.0
SLOTS = 4


class Scene:
    """An engine with many jobs, and a dispatcher with four slots. A poll hangs for as long as `hangs` was true."""

    def __init__(self) -> None:
        self.uuid = "w-1"
        self.accepted = [block_entry()]
        self.changed = asyncio.Event()
        self.hangs = True
        self.lost = False
        """Whether what hangs is never answered; else it is as soon as nothing hangs any more."""
        self.is_coming = False
        """Whether parts of an answer come while it hangs."""
        self.end_of_lost = EngineError("No answer.", timed_out=True)
        self.given: list[str] = []
        self.arrived: list[str] = []
        self.slots = SLOTS
        self.polls: list[tuple[float, int]] = []
        self.looks: list[float] = []
        self.suspected = 0
        self.can_tell = True
        self.claims_before_it_hangs = 0
        self.is_overfull = False
        self.most_claimed = 0
        self.polling: asyncio.Future[None]
        part: Any = self
        self.poller = Poller(part, part, part, part, 1.0, part)

    @property
    def free_slots(self) -> int:
        return self.slots - len(self.arrived)

    @property
    def known_job_ids(self) -> frozenset[str]:
        return frozenset(self.arrived)

    def _give(self, count: int) -> tuple[Any, ...]:
        jobs = [f"job-{len(self.given) + number}" for number in range(count)]
        self.given += jobs
        self.most_claimed = max(self.most_claimed, len(self.given))
        return tuple(jobs)

    async def _hang(self, arrival: Arrival) -> None:
        try:
            async with arrival.time_out(TIME_OUT):
                while self.hangs or self.lost:
                    await asyncio.sleep(0.1)
                    if self.is_coming:
                        arrival.part_came()
        except TimeoutError:
            raise self.end_of_lost from None

    def to_ask_for(self, blocks: list[Any], free: int, covered: int) -> tuple[list[Any], int]:
        return blocks, free

    async def poll(self, worker_uuid: str, blocks: tuple[Any, ...], limit: int, arrival: Arrival) -> Poll:
        self.polls.append((elapsed(), limit))
        if self.hangs:
            if self.claims_before_it_hangs:
                self._give(self.claims_before_it_hangs)
            await self._hang(arrival)
        return Poll(self._give(limit))

    async def poll_nothing(self, worker_uuid: str, seconds: float) -> None:
        if self.hangs:
            await asyncio.sleep(seconds)
            raise EngineError("No answer.", timed_out=True)

    async def claimed_jobs(self, worker_uuid: str, seconds: float | None = None) -> list[LostJob]:
        if not self.can_tell:
            raise EngineError("No token.", status=401, retryable=False)
        return [LostJob(job, "a/b:1.0.0") for job in self.given]

    async def accept(
        self, jobs: tuple[Any, ...], worker_uuid: str, limit: int, arrival_seconds: float
    ) -> None:
        self.arrived += jobs

    async def look(self, worker_uuid: str, *, last: bool = False) -> None:
        self.looks.append(elapsed())

    def suspect(self) -> None:
        self.suspected += 1


def live(then: Callable[[Scene], Awaitable[None]], **changes: Any) -> Scene:
    async def life() -> Scene:
        scene = Scene()
        for name, value in changes.items():
            setattr(scene, name, value)
        scene.polling = asyncio.ensure_future(scene.poller.poll_until_stopped())
        await then(scene)
        scene.poller.stop()
        await asyncio.wait_for(scene.polling, 3600.0)
        return scene

    return simulate(life())


async def until(holds: Callable[[], object], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.05)


def test_an_answer_that_comes_late_counts_and_no_slot_is_claimed_twice() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(6.0)
        assert scene.polls == [(0.0, SLOTS)], "it covers all slots"
        scene.hangs = False
        await asyncio.sleep(0.2)
        assert len(scene.arrived) == SLOTS
        await asyncio.sleep(20.0)

    assert live(then).most_claimed == SLOTS


def test_a_slot_that_becomes_free_meanwhile_is_asked_for_beside_it() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(3.0)
        scene.slots += 2  # two jobs have ended
        scene.changed.set()
        await turns()
        assert scene.polls == [(0.0, SLOTS), (3.0, 2)]
        await asyncio.sleep(3.0)
        scene.hangs = False
        await asyncio.sleep(1.0)
        assert len(scene.arrived) == SLOTS + 2, "both answers count"

    assert live(then).most_claimed == SLOTS + 2


@pytest.mark.parametrize("slots", [1, SLOTS])
@pytest.mark.parametrize("hang_seconds", [6.0, 14.9, 60.0])
def test_after_a_poll_that_is_lost_jobs_come_within_seconds_of_the_engine_s_return(
    slots: int, hang_seconds: float
) -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(hang_seconds)
        scene.hangs = False
        await until(lambda: scene.arrived, 20.0)
        assert elapsed() - hang_seconds <= LATE_SECONDS + 2 * ASK_SECONDS + GRACE_SECONDS

    scene = live(then, lost=True, slots=slots)
    assert scene.most_claimed == slots


def test_slots_whose_jobs_the_engine_has_given_away_for_it_stay_covered() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(6.0)
        scene.hangs = False
        await asyncio.sleep(6.0)
        assert [limit for _, limit in scene.polls] == [SLOTS, SLOTS - 3]

    assert live(then, lost=True, claims_before_it_hangs=3).most_claimed == SLOTS


def test_where_the_engine_can_t_tell_all_slots_stay_covered_to_the_end_of_its_time() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(3.0)
        scene.hangs = False
        await asyncio.sleep(TIME_OUT - 3.5)
        assert len(scene.polls) == 1
        await asyncio.sleep(3.0)
        assert len(scene.polls) == 2

    live(then, lost=True, can_tell=False)


def test_while_one_is_late_nothing_is_called_lost_and_after_it_was_lost_the_engine_is_asked() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(TIME_OUT - 1.0)
        assert scene.looks == [0.0]
        await asyncio.sleep(2.0)
        assert scene.suspected == 1
        assert len(scene.looks) > 1

    live(then)


def test_the_end_waits_for_a_late_poll_and_takes_its_jobs() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(4.0)
        scene.poller.stop()
        await asyncio.sleep(1.0)
        scene.hangs = False

    assert len(live(then).arrived) == SLOTS


def test_a_poll_that_was_lost_is_no_trouble_of_an_engine_that_has_answered_a_later_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All slots are taken: no other poll would tell that the engine is well until a job has ended."""

    async def then(scene: Scene) -> None:
        await asyncio.sleep(3.0)
        scene.hangs = False
        await asyncio.sleep(TIME_OUT + 2.0)
        assert (len(scene.arrived), scene.suspected) == (SLOTS, 1)
        assert scene.poller.problem is None
        assert scene.poller.problem_since is None

    live(then, lost=True)
    assert told(caplog, PollsFailing) == []


def test_a_late_answer_that_can_not_be_used_is_told_and_the_engine_is_well_that_has_answered_a_later_poll(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def then(scene: Scene) -> None:
        scene.end_of_lost = EngineError("The answer is not JSON.", status=201)
        await asyncio.sleep(3.0)
        scene.hangs = False
        await asyncio.sleep(TIME_OUT + 2.0)
        assert (len(scene.arrived), scene.suspected) == (SLOTS, 1)
        assert scene.poller.problem is None

    live(then, lost=True)
    assert [each["reason"] for each in told(caplog, PollsFailing)] == ["The answer is not JSON."]
    assert len(told(caplog, PollsRestored)) == 1


def test_while_too_many_results_wait_no_jobs_are_asked_for() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(30.0)
        assert scene.polls == []
        scene.is_overfull = False
        await asyncio.sleep(1.5)
        assert len(scene.polls) == 1

    live(then, is_overfull=True, hangs=False)


def test_an_answer_that_keeps_coming_is_awaited_and_the_poller_is_not_called_stuck() -> None:
    async def then(scene: Scene) -> None:
        for _ in range(100):
            await asyncio.sleep(1.0)
            assert scene.poller.due_at is not None
            assert scene.poller.due_at > asyncio.get_running_loop().time()
        scene.hangs = False
        await asyncio.sleep(1.0)
        assert (len(scene.arrived), scene.suspected) == (SLOTS, 0)

    live(then, is_coming=True)


def test_an_answer_that_comes_without_end_is_given_up_and_looked_into() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(LONGEST_SECONDS - 1.0)
        assert scene.suspected == 0
        await asyncio.sleep(2.0)
        assert scene.suspected == 1

    live(then, is_coming=True)


def test_the_end_waits_no_longer_for_an_answer_that_keeps_coming_than_for_any_other() -> None:
    async def then(scene: Scene) -> None:
        await asyncio.sleep(40.0)
        scene.poller.stop()
        await asyncio.wait((scene.polling,))
        assert TIME_OUT - 0.1 <= elapsed() - 40.0 <= TIME_OUT + ASK_SECONDS + 0.1
        assert scene.suspected == 1, "its jobs are looked for"

    live(then, is_coming=True)
