"""Every signal in every state: each claimed job has one result in the end, and the exit code says how it went.

celery/celery#8417, procrastinate-org/procrastinate#1585 and gitlab-org/gitlab-runner#39847 are cells of this table.
"""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from contract_support import ECHO, Setup
from contract_worker import Worker

from sdk.devengine import DevEngine, EngineOptions, Fault
from supervisor.log.events.worker import PollsFailing, Reloaded
from tests.patience import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

StartWorker = Callable[..., Worker]

WAITS = "contract/waits_for_file:1.0.0"
EXITED_AT_ONCE = 130
TERM, INT, HUP = signal.SIGTERM, signal.SIGINT, signal.SIGHUP
ORDERS = {"TERM": (TERM,), "INT": (INT,), "HUP": (HUP,), "double": (TERM, TERM), "triple": (TERM, TERM, TERM)}
STATES = ("idle", "polling", "starting", "running", "reporting", "outage")
# SIGINT is announced by its name, and else is SIGTERM: keeper and worker ask whether a signal is one of the two. So it
# is sent where there is nothing to finish, and where there is a job.
LIKE_TERM = [(state, "INT") for state in STATES if state not in ("idle", "running")]
CELLS = [cell for cell in itertools.product(STATES, ORDERS) if cell not in LIKE_TERM]
ANNOUNCED = {TERM: "SIGTERM. ", INT: "SIGINT. ", HUP: "SIGHUP. "}


class Scene:
    """An engine with a file, a worker in some state, and the jobs that it has claimed."""

    def __init__(self, engine: DevEngine, start_worker: StartWorker, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        self.release = directory / "release"
        self.jobs: list[str] = []
        self._start_worker = start_worker
        self._port = int(engine.url.rpartition(":")[2])

    def start(self, *flags: str) -> Setup:
        self.setup = Setup(
            self.engine, self._start_worker(self.engine.url, "--max-concurrent-jobs", "2", *flags)
        )
        return self.setup

    def submit(self, block: str = ECHO) -> str:
        parameters = {"text": "t"} if block == ECHO else {"choice": str(self.release)}
        self.jobs.append(self.engine.submit(block=block, parameters=parameters))
        return self.jobs[-1]

    async def idle(self) -> None:
        await self.start().worker.ready()

    async def polling(self) -> None:
        """A poll has claimed a job, and its answer is on its way."""
        await self.idle()
        self.engine.faults.add(Fault("poll", handle=True, answer_delay_seconds=0.7, times=2))
        job_id = self.submit()
        await until(lambda: self.engine.job(job_id).status == "polled", "the engine has handed the job out")

    async def starting(self) -> None:
        """A job has its slot, and no child yet: an interpreter of its own takes half a second."""
        job_id = self.submit()
        await self.start("--start-method", "spawn").started(job_id)

    async def running(self) -> None:
        await self.idle()
        await self.setup.started(self.submit(WAITS))

    async def reporting(self) -> None:
        """The job is over, and the engine does not take its result."""
        await self.idle()
        self.engine.faults.add(Fault("result", status=503, times=10_000))
        job_id = self.submit()
        await until(lambda: self.setup.results_of(job_id), "its result was sent")

    async def outage(self) -> None:
        """A job runs, and the engine is away."""
        await self.running()
        await self.engine.stop()
        await self.setup.logged(PollsFailing)

    async def let_go(self) -> None:
        """What held the state up is over: the job may end, the engine works and is there."""
        self.release.touch()
        self.engine.faults.clear()
        if not self.engine_is_there:
            await self.engine.start(self._port)

    @property
    def engine_is_there(self) -> bool:
        try:
            return bool(self.engine.url)
        except Exception:  # it says so by an error
            return False

    async def send(self, numbers: tuple[signal.Signals, ...]) -> None:
        for count, number in enumerate(numbers, start=1):
            self.setup.worker.signal(number)
            announcement = ANNOUNCED[number]
            await until(
                lambda count=count, said=announcement: (
                    self.setup.worker.log.count(said) >= count or not self.setup.worker.runs
                ),
                f"signal {count} is announced",
            )

    def check_that_each_job_has_one_result(self) -> None:
        for job_id in self.jobs:
            assert self.engine.job(job_id).finished_by == "worker", job_id
            accepted = [each for each in self.setup.results_of(job_id) if each.status == 201]
            assert len(accepted) == 1, job_id


@pytest_asyncio.fixture(loop_scope="session")
async def scene(start_worker: StartWorker, tmp_path: Path) -> AsyncIterator[Scene]:
    engine = DevEngine(EngineOptions(without_token=True, database=tmp_path / "engine.sqlite3"))
    await engine.start()
    try:
        yield Scene(engine, start_worker, tmp_path)
    finally:
        await engine.stop()


@pytest.mark.parametrize(("state", "order"), CELLS)
async def test_whatever_signal_comes_in_whatever_state_no_job_is_lost(
    scene: Scene, state: str, order: str
) -> None:
    await getattr(scene, state)()
    numbers = ORDERS[order]
    letting_go = asyncio.ensure_future(scene.let_go()) if len(numbers) == 1 else None
    await scene.send(numbers)
    if letting_go is not None:
        await letting_go
    if order == "HUP":
        await scene.setup.logged(Reloaded)
        assert await scene.setup.works()
        scene.setup.worker.signal(TERM)
    code = await scene.setup.worker.exit_code(40)
    assert code == 0 or (order == "triple" and code == EXITED_AT_ONCE), scene.setup.worker.log
    await scene.let_go()
    if not all(scene.engine.job(job_id).finished_by for job_id in scene.jobs):
        # What was left to the journal comes with the next start: after an exit at once, or with the engine away.
        assert code == EXITED_AT_ONCE or state in ("reporting", "outage")
        await scene.start().worker.ready()
        for job_id in scene.jobs:
            await scene.setup.result(job_id)
    scene.check_that_each_job_has_one_result()
