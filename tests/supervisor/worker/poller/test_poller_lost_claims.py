"""When the engine is asked for lost claims, by a clock of the test's own."""

import pytest

from supervisor.engine import LostJob
from supervisor.errors import EngineError
from supervisor.log.events.worker import ClaimsUnknown
from supervisor.worker.lost_claims import (
    LONGEST_PAUSE_SECONDS,
    REGULAR_LOOK_SECONDS,
    SECOND_LOOK_SECONDS,
    LostClaims,
    may_have_claimed,
)
from tests.log_events import told


class Engine:
    """Answers with what the test says it has given away."""

    def __init__(self) -> None:
        self.claimed: list[LostJob] = []
        self.error: EngineError | None = None
        self.asked = 0

    async def claimed_jobs(self, worker_uuid: str, seconds: float | None = None) -> list[LostJob]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.claimed


class Dispatcher:
    """Knows what the test says, and forgets a job while the engine is asked if told to."""

    def __init__(self) -> None:
        self.known = [frozenset[str](), frozenset[str]()]
        self.reported: list[str] = []
        self.by_the_last_run: list[bool] = []
        self._looks = 0

    @property
    def known_job_ids(self) -> frozenset[str]:
        self._looks += 1
        return self.known[(self._looks - 1) % 2]

    async def report_lost(self, jobs: list[LostJob], worker_uuid: str, *, by_the_last_run: bool) -> None:
        self.reported += [job.job_id for job in jobs]
        self.by_the_last_run.append(by_the_last_run)


class Scene:
    def __init__(self) -> None:
        self.now = 1000.0
        self.engine, self.dispatcher = Engine(), Dispatcher()
        parts = (self.engine, self.dispatcher)
        self.lost = LostClaims(*parts, clock=lambda: self.now)  # type: ignore[arg-type]  # what is used of them


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_the_engine_is_asked_only_after_a_poll_has_broken(scene: Scene) -> None:
    await scene.lost.look("w")
    assert scene.engine.asked == 0
    scene.lost.suspect()
    await scene.lost.look("w")
    await scene.lost.look("w")
    assert scene.engine.asked == 1


async def test_the_engine_is_asked_now_and_then_and_a_refusal_is_then_no_news(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy that sends a poll twice claims jobs twice, and nothing breaks."""
    scene.engine.error = EngineError("no", status=401, retryable=False)
    for _ in range(3):
        scene.now += REGULAR_LOOK_SECONDS
        await scene.lost.look("w")
        await scene.lost.look("w")
    assert scene.engine.asked == 3
    assert not caplog.records
    scene.lost.suspect()
    await scene.lost.look("w")
    (unknown,) = told(caplog, ClaimsUnknown)
    assert "--engine-token-file" in unknown["advice"]


async def test_it_is_asked_once_more_for_a_poll_that_was_carried_out_late(scene: Scene) -> None:
    scene.lost.suspect()
    await scene.lost.look("w")
    scene.engine.claimed = [LostJob("late", "p/b:1.0.0")]
    scene.now += SECOND_LOOK_SECONDS
    await scene.lost.look("w")
    scene.now += SECOND_LOOK_SECONDS - 1
    await scene.lost.look("w")
    assert (scene.dispatcher.reported, scene.engine.asked) == (["late"], 2)


@pytest.mark.parametrize("known", [0, 1], ids=["known before", "known after"])
async def test_a_job_that_is_known_before_or_after_the_question_is_not_lost(scene: Scene, known: int) -> None:
    """Its result may be delivered, or its claim be stored, while the engine is asked."""
    scene.engine.claimed = [LostJob("mine", "p/b:1.0.0"), LostJob("lost", "p/b:1.0.0")]
    scene.dispatcher.known[known] = frozenset({"mine"})
    scene.lost.suspect()
    await scene.lost.look("w")
    assert scene.dispatcher.reported == ["lost"]


async def test_an_engine_that_is_away_is_asked_until_it_answers(scene: Scene) -> None:
    scene.lost.suspect()
    scene.engine.error = EngineError("away")
    for _ in range(3):
        await scene.lost.look("w")
        scene.now += LONGEST_PAUSE_SECONDS
    scene.engine.error = None
    scene.engine.claimed = [LostJob("lost", "")]
    await scene.lost.look("w")
    assert (scene.engine.asked, scene.dispatcher.reported) == (4, ["lost"])


async def test_only_what_is_found_first_after_a_start_may_have_run(scene: Scene) -> None:
    """A block can run while the journal's disk is full, and be forgotten when the worker is killed then."""
    scene.lost.suspect_the_last_run()
    scene.engine.claimed = [LostJob("early", "")]
    await scene.lost.look("w")
    scene.engine.claimed = [LostJob("late", "")]
    scene.now += SECOND_LOOK_SECONDS
    await scene.lost.look("w")
    assert (scene.dispatcher.reported, scene.dispatcher.by_the_last_run) == (["early", "late"], [True, False])


@pytest.mark.parametrize(
    ("status", "may"),
    [(None, True), (201, True), (500, True), (503, True), (400, False), (404, False), (429, False)],
)
def test_only_a_plain_no_has_claimed_nothing(status: int | None, may: bool) -> None:
    assert may_have_claimed(EngineError("x", status=status)) is may
