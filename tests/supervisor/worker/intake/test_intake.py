"""The shell around the intake's decisions: time, log, and who waits for the end of a drain."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from supervisor.lifecycle.intake import IntakeMode, Left
from supervisor.log.events.intake import DrainStarted, IntakeKept, WorkerDrained, WorkerPaused, WorkerResumed
from supervisor.worker.intake import Intake
from tests.log_events import told
from tests.patience import until


@pytest.fixture(autouse=True)
def _every_event(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


class Scene:
    """An intake whose time and work are the test's."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.left = Left()
        self.changes = self.ends = 0
        self.kept: list[str] = []
        self.is_stopping = False
        self.intake = self.next_intake()

    def next_intake(self) -> Intake:
        """Return the intake of a worker that is started now."""
        return Intake(
            lambda: self.left,
            self._changed,
            self._end,
            clock=lambda: self.now,
            wall_clock=lambda: self.now + 10**9,
            keep=self._keep,
            is_stopping=lambda: self.is_stopping,
        )

    async def be_killed_for(self, seconds: float) -> None:
        """Go on, after a time, with the intake of the next worker, which was given what this one has written down."""
        await self.intake.recorded()
        await self.intake.close()
        self.now += seconds
        self.intake = self.next_intake()
        self.intake.restore(self.kept[-1])

    async def _keep(self, text: str) -> None:
        self.kept.append(text)

    def _changed(self) -> None:
        self.changes += 1

    def _end(self) -> None:
        self.ends += 1


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    try:
        yield made
    finally:
        await made.intake.close()


async def test_a_pause_ends_by_the_monotonic_clock_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as stage:
        assert stage.intake.pause("root", "upgrade", 3600)
        assert (stage.intake.is_open, stage.changes) == (False, 1)
        (paused,) = told(caplog, WorkerPaused)
        assert (paused["by"], paused["note"], paused["for_seconds"]) == ("root", "upgrade", 3600)
        stage.now += 3600
        await until(lambda: stage.intake.is_open, "the pause is over")
        assert stage.changes == 2, "the poller is told"
        assert told(caplog, WorkerResumed) == [{"reason": "The pause is over."}]


async def test_an_open_intake_has_no_task() -> None:
    async with scene() as stage:
        assert len(stage.intake._tasks) == 0
        stage.intake.pause("root")
        assert len(stage.intake._tasks) == 0, "a pause without an end waits for nothing"


async def test_resume_says_whether_there_was_anything_to_resume(caplog: pytest.LogCaptureFixture) -> None:
    async with scene() as stage:
        assert not stage.intake.resume("root")
        stage.intake.pause("root")
        assert stage.intake.resume("alice")
        assert told(caplog, WorkerResumed) == [{"reason": "alice resumes the worker.", "by": "alice"}]


async def test_who_waits_for_a_drain_waits_until_all_is_done_and_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as stage:
        stage.left = Left(jobs=1)
        stage.intake.drain("root")
        waiting = asyncio.ensure_future(stage.intake.wait_while_draining())
        for left in (Left(results=1), Left(requests=1)):
            stage.left = left
            stage.intake._look()
            assert stage.intake.state.mode is IntakeMode.DRAINING
        stage.left = Left()
        assert (await asyncio.wait_for(waiting, 30)).mode is IntakeMode.DRAINED
        assert len(told(caplog, DrainStarted)) == len(told(caplog, WorkerDrained)) == 1
        assert stage.ends == 0
        assert not stage.intake.pause("root"), "a pause would end the drain"


async def test_a_worker_that_has_nothing_is_drained_at_once() -> None:
    async with scene() as stage:
        stage.intake.drain("root")
        assert (await asyncio.wait_for(stage.intake.wait_while_draining(), 30)).mode is IntakeMode.DRAINED


async def test_who_waits_for_a_drain_is_told_when_somebody_resumes_the_worker() -> None:
    async with scene() as stage:
        stage.left = Left(jobs=1)
        stage.intake.drain("root")
        waiting = asyncio.ensure_future(stage.intake.wait_while_draining())
        await asyncio.sleep(0)
        stage.intake.resume("alice")
        assert (await asyncio.wait_for(waiting, 30)).mode is IntakeMode.OPEN


async def test_a_worker_that_is_to_end_when_drained_ends_once() -> None:
    async with scene() as stage:
        stage.left = Left(jobs=1)
        stage.intake.drain("root", ends_worker=True)
        assert stage.ends == 0
        stage.left = Left()
        await until(lambda: stage.intake.state.mode is IntakeMode.DRAINED, "it is drained")
        assert stage.ends == 1
        stage.intake.drain("root", ends_worker=True)
        assert stage.ends == 1


async def test_a_worker_that_is_drained_already_can_still_be_told_to_end() -> None:
    async with scene() as stage:
        stage.intake.drain("root")
        stage.intake.drain("root", ends_worker=True)
        assert stage.ends == 1


async def test_a_drain_of_a_worker_that_is_stopped_meanwhile_is_neither_written_down_nor_told_as_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The stop has it forgotten: a stop that is cut off would leave a worker that is drained for good."""
    async with scene() as stage:
        stage.left = Left(jobs=1)
        stage.intake.drain("root")
        await stage.intake.recorded()
        written = list(stage.kept)
        stage.is_stopping, stage.left = True, Left()
        await until(lambda: not len(stage.intake._tasks), "nobody looks any more")
        stage.intake.restore(written[-1])
        await stage.intake.recorded()
        assert stage.kept == written
        assert told(caplog, WorkerDrained) == []


async def test_a_pause_that_is_over_while_the_worker_stops_is_not_told_as_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as stage:
        stage.intake.pause("root", "upgrade", 3600)
        stage.is_stopping = True
        stage.now += 3600
        await until(lambda: not len(stage.intake._tasks), "nobody looks any more")
        assert told(caplog, WorkerResumed) == []


async def test_a_pause_is_written_down_before_it_is_confirmed_and_goes_on_after_a_kill(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as stage:
        stage.intake.pause("root", "upgrade", 3600)
        await stage.be_killed_for(600)
        assert (stage.intake.is_open, stage.intake.seconds_left) == (False, 3000)
        (kept,) = told(caplog, IntakeKept)
        assert kept == {"reason": "paused by root, 50 min left: upgrade.", "by": "root", "mode": "paused"}
        stage.now += 3000
        await until(lambda: stage.intake.is_open, "the pause is over")
        await stage.intake.recorded()
        assert stage.kept[-1] == "", "the next worker asks for jobs"


async def test_a_pause_that_ran_out_while_no_worker_ran_is_over_and_the_log_says_only_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as stage:
        stage.intake.pause("root", "upgrade", 60)
        await stage.be_killed_for(61)
        await stage.intake.recorded()
        assert (stage.intake.is_open, stage.kept[-1]) == (True, "")
        assert told(caplog, IntakeKept) == []
        assert told(caplog, WorkerResumed) == [{"reason": "The pause is over."}]


async def test_a_resumed_worker_leaves_no_pause_behind_and_neither_does_an_unreadable_one() -> None:
    async with scene() as stage:
        stage.intake.pause("root")
        stage.intake.resume("root")
        await stage.intake.recorded()
        assert stage.kept[-1] == ""
        stage.intake.restore("{")
        await stage.intake.recorded()
        assert (stage.intake.is_open, stage.kept[-1]) == (True, "")


async def test_who_has_decided_meanwhile_is_not_overruled_by_a_pause_that_is_read_late() -> None:
    async with scene() as stage:
        stage.intake.pause("a person")
        await stage.intake.recorded()
        paused = stage.kept[-1]
        stage.intake = stage.next_intake()
        assert not stage.intake.resume("another person"), "it was open, and shall stay so"
        stage.intake.restore_late(paused)
        await stage.intake.recorded()
        assert stage.intake.is_open
        assert stage.kept[-1] != paused, "nor does the next start pause"
        stage.intake = stage.next_intake()
        stage.intake.restore_late(paused)
        assert not stage.intake.is_open
