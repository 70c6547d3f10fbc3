"""Lost claims: which look is due when, and what is said of them."""

import asyncio
from typing import Any

import pytest

from supervisor.engine import LostJob
from supervisor.engine.answering import Answering
from supervisor.errors import EngineError
from supervisor.log.events.worker import ClaimsLost, ClaimsUnknown
from supervisor.worker.lost_claims import (
    LONGEST_PAUSE_SECONDS,
    REGULAR_LOOK_SECONDS,
    SECOND_LOOK_SECONDS,
    LostClaims,
    may_have_claimed,
)
from tests.log_events import facts_of, told
from tests.simulated_time import simulate

JOB_TIMEOUT = 720.0
BUSY = EngineError("The list fails.", status=503)


class Scene:
    """Engine and dispatcher in one."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[float] = []
        self.error: EngineError | None = None
        self.claimed: list[LostJob] = []
        self.known_job_ids: frozenset[str] = frozenset()
        self.reported: list[Any] = []
        part: Any = self
        self.knows_the_last_run = True
        self.answering = Answering()
        self.lost = LostClaims(
            part,
            part,
            clock=lambda: self.now,
            knows_the_last_run=lambda: self.knows_the_last_run,
            answering=self.answering,
            engine_job_timeout_seconds=JOB_TIMEOUT,
        )

    async def claimed_jobs(self, worker_uuid: str, seconds: float | None = None) -> list[LostJob]:
        self.asked.append(self.now - 1000.0)
        if self.error is not None:
            raise self.error
        return self.claimed

    async def report_lost(self, jobs: list[LostJob], worker_uuid: str, *, by_the_last_run: bool) -> None:
        self.reported.append((jobs, worker_uuid, by_the_last_run))

    async def look_each_second(self, until: float) -> None:
        while self.now <= 1000.0 + until:
            await self.lost.look("w-1")
            self.now += 1.0


async def with_a_list_that_fails() -> Scene:
    """Return one in which something is suspected, and the engine has failed with its list once."""
    scene = Scene()
    scene.lost.suspect()
    scene.error = BUSY
    await scene.lost.look("w-1")
    return scene


async def test_it_is_asked_every_minute_in_any_case() -> None:
    assert (REGULAR_LOOK_SECONDS, SECOND_LOOK_SECONDS) == (60.0, 30.0)
    scene = Scene()
    await scene.look_each_second(185.0)
    assert scene.asked == [60.0, 120.0, 180.0]


async def test_after_a_broken_poll_it_is_asked_at_once_and_half_a_minute_later_and_then_every_minute() -> (
    None
):
    scene = Scene()
    await scene.look_each_second(9.0)
    scene.lost.suspect()
    await scene.look_each_second(105.0)
    assert scene.asked == [10.0, 40.0, 100.0]


async def test_each_broken_poll_is_looked_into() -> None:
    scene = Scene()
    scene.lost.suspect()
    await scene.look_each_second(19.0)
    scene.lost.suspect()
    await scene.look_each_second(55.0)
    assert scene.asked == [0.0, 20.0, 50.0]


async def test_what_is_lost_is_reported_under_this_worker_s_uuid_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene()
    lost = [LostJob("a", "p/b:1.0.0"), LostJob("b", "p/b:1.0.0")]
    scene.claimed = [*lost, LostJob("mine", "")]
    scene.known_job_ids = frozenset({"mine"})
    scene.lost.suspect()
    await scene.lost.look("w-1")
    assert scene.reported == [(lost, "w-1", False)]
    assert told(caplog, ClaimsLost) == [{"jobs": 2}]


async def test_where_nothing_is_lost_nothing_is_reported_or_told(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.lost.suspect_the_last_run()
    await scene.lost.look("w-1")
    assert (scene.asked, scene.reported, caplog.records) == ([0.0], [], [])
    scene.claimed = [LostJob("later", "")]
    await scene.look_each_second(30.0)
    assert [by_the_last_run for _, _, by_the_last_run in scene.reported] == [False]


async def test_the_last_run_is_suspected_until_the_engine_has_answered() -> None:
    scene = Scene()
    scene.lost.suspect_the_last_run()
    scene.error = EngineError("away")
    await scene.look_each_second(2.0)
    scene.error = None
    scene.claimed = [LostJob("early", "")]
    scene.now += LONGEST_PAUSE_SECONDS
    await scene.lost.look("w-1")
    assert [by_the_last_run for _, _, by_the_last_run in scene.reported] == [True]


async def test_nothing_is_called_lost_before_it_is_known_what_the_last_run_has_left() -> None:
    """Of such a job there may be a success in a journal that can't be read yet (I8)."""
    scene = Scene()
    scene.knows_the_last_run = False
    scene.lost.suspect_the_last_run()
    scene.claimed = [LostJob("succeeded", ""), LostJob("lost", "")]
    await scene.look_each_second(200.0)
    assert (scene.reported, scene.lost.are_suspected) == ([], True)
    scene.knows_the_last_run, scene.known_job_ids = True, frozenset({"succeeded"})
    await scene.lost.look("w-1")
    assert scene.reported == [([LostJob("lost", "")], "w-1", True)]


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "--engine-token-file"), (403, "--engine-token-file"), (404, "This engine can't tell.")],
)
async def test_an_engine_that_does_not_tell_is_complained_of_once_and_not_asked_in_vain(
    status: int, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene()
    scene.error = EngineError("It says no.", status=status, retryable=False)
    for _ in range(2):
        scene.lost.suspect()
        await scene.lost.look("w-1")
        await scene.lost.look("w-1")
    assert len(scene.asked) == 2
    (record,) = caplog.records
    assert record.event == ClaimsUnknown.name
    assert facts_of(record)["reason"] == "It says no."
    assert advice in facts_of(record)["advice"]
    assert advice in record.getMessage()


async def test_a_second_look_that_is_refused_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene()
    scene.lost.suspect()
    await scene.lost.look("w-1")
    scene.error = EngineError("no", status=401, retryable=False)
    await scene.look_each_second(30.0)
    (unknown,) = told(caplog, ClaimsUnknown)
    assert unknown["reason"] == "no"


async def test_a_suspicion_that_can_not_be_looked_into_is_over_once_the_engine_has_given_the_jobs_up() -> (
    None
):
    """Else a drain would wait for ever."""
    scene = Scene()
    scene.lost.suspect_the_last_run()
    scene.error = BUSY
    await scene.look_each_second(JOB_TIMEOUT - 2)
    assert scene.lost.are_suspected
    await scene.look_each_second(JOB_TIMEOUT)
    assert not scene.lost.are_suspected
    asked = len(scene.asked)
    await scene.look_each_second(JOB_TIMEOUT + 4 * REGULAR_LOOK_SECONDS)
    assert len(scene.asked) > asked, "it is asked now and then, as ever"
    scene.error = None
    scene.lost.suspect()
    assert scene.lost.are_suspected


async def test_a_list_that_fails_is_asked_for_with_pauses_and_a_worker_that_stops_keeps_none() -> None:
    scene = Scene()
    scene.lost.suspect()
    scene.error = BUSY
    await scene.look_each_second(299.0)
    assert 300 / (LONGEST_PAUSE_SECONDS + 1) <= len(scene.asked) <= 150
    asked = len(scene.asked)
    await scene.lost.look("w-1", last=True)
    await scene.lost.look("w-1", last=True)
    assert len(scene.asked) == asked + 2
    scene.error = None
    await scene.lost.look("w-1", last=True)
    await scene.lost.look("w-1", last=True)
    assert len(scene.asked) == asked + 3, "nothing is suspected any more"
    scene.lost.suspect()
    await scene.lost.look("w-1")
    assert len(scene.asked) == asked + 4, "an answer ends the pauses"


async def test_a_list_that_fails_while_the_engine_answers_others_is_told_once_until_it_was_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = await with_a_list_that_fails()
    scene.now += LONGEST_PAUSE_SECONDS
    scene.answering.answered(scene.now)
    await scene.lost.look("w-1")
    assert told(caplog, ClaimsUnknown) == [], "it may pass"
    await scene.look_each_second(60.0)
    (unknown,) = told(caplog, ClaimsUnknown)
    assert (unknown["reason"], unknown["advice"]) == ("The list fails.", "It is asked again.")
    scene.error = None
    await scene.look_each_second(90.0)
    scene.error = BUSY
    scene.lost.suspect()
    scene.answering.answered(scene.now + 1.0)
    await scene.look_each_second(180.0)
    assert len(told(caplog, ClaimsUnknown)) == 2


async def test_an_engine_that_answers_nothing_is_not_told_for_its_list(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The polls tell it."""
    scene = Scene()
    scene.lost.suspect()
    scene.error = EngineError("away")
    await scene.look_each_second(300.0)
    assert told(caplog, ClaimsUnknown) == []


async def test_a_refusal_is_told_with_its_advice_also_after_a_list_that_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = await with_a_list_that_fails()
    scene.answering.answered(scene.now + 1.0)
    await scene.look_each_second(60.0)
    scene.error = EngineError("no", status=401, retryable=False)
    await scene.look_each_second(90.0)
    assert ["--engine-token-file" in each["advice"] for each in told(caplog, ClaimsUnknown)] == [False, True]


def test_without_a_clock_it_goes_by_the_loop_s() -> None:
    async def live() -> tuple[bool, bool]:
        part: Any = Scene()
        lost = LostClaims(part, part)
        before = lost._is_due(keeps_pause=True)
        await asyncio.sleep(REGULAR_LOOK_SECONDS)
        return before, lost._is_due(keeps_pause=True)

    assert simulate(live()) == (False, True)


@pytest.mark.parametrize(
    ("status", "may"),
    [(299, True), (300, False), (302, False), (499, False), (500, True)],
)
def test_a_redirection_has_claimed_nothing_and_a_success_that_can_not_be_read_may_have(
    status: int, may: bool
) -> None:
    assert may_have_claimed(EngineError("x", status=status)) is may


async def test_a_refusal_is_no_answer_so_that_the_last_run_stays_suspected() -> None:
    """Its jobs may have run. Reported as never started, the engine would run them again."""
    scene = Scene()
    scene.lost.suspect_the_last_run()
    scene.error = EngineError("no", status=403, retryable=False)
    await scene.lost.look("w-1")
    scene.error = None
    scene.claimed = [LostJob("early", "")]
    await scene.look_each_second(REGULAR_LOOK_SECONDS)
    await scene.lost.look("w-1")
    assert scene.reported[0][2] is True
    assert {by_the_last_run for _, _, by_the_last_run in scene.reported[1:]} <= {False}
