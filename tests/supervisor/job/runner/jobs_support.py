"""A job runner whose children have no process: the launcher is the test's, spares and executions are real."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobrunner.protocol.frames import read_frame
from jobrunner.protocol.messages import Begin, Order, Outcome, to_child
from supervisor.errors import LaunchError
from supervisor.job.directories import JobDirectories
from supervisor.job.job import Job
from supervisor.job.result import Finished
from supervisor.job.runner import JobRunner
from supervisor.launcher.known_children import KnownChildren
from supervisor.settings.run_settings import RunSettings
from supervisor.verdict import ExitStatus
from tests.patience import PATIENCE_SECONDS, until
from tests.programs.fuzz.fakes import FakeChild, block_entry
from tests.supervisor.job.execution.execution_support import BLOCK, Calls, RecordedChild

ENTRY = block_entry().model_copy(update={"id": BLOCK})
# None: to count takes real-time priority, which is not for the process of the tests.
SETTINGS = RunSettings.model_construct(max_job_seconds=30.0, grace_seconds=0.0, max_job_processes=None)
EXIT_0 = ExitStatus(code=0)
DONE = Outcome(success=True, message="done", body_bytes=2)


def job(**changes: Any) -> Job:
    return replace(Job("job", BLOCK, "execute", "global", {}, {}), **changes)


class Strangers(KnownChildren):
    """There are none: the sweep must not take the test's own processes for leftovers."""

    def unknown(self, pids: set[int]) -> set[int]:
        return set()


class Launcher:
    """Gives out the test's children, when it lets them."""

    def __init__(self, calls: Calls) -> None:
        self.known_children = Strangers()
        self.calls = calls
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.error: LaunchError | None = None
        self.children: list[RecordedChild] = []
        self.user: int | None = None

    async def spawn_child(self, *, rehearses: bool = True) -> RecordedChild:
        self.calls.append("spawn_child")
        await self.may_start.wait()
        if self.error is not None:
            raise self.error
        child = RecordedChild(self.calls)
        child.user = self.user  # type: ignore[assignment]
        await child.connect()
        self.children.append(child)
        return child

    def drain_starts(self) -> frozenset[int]:
        return frozenset()


class RecordedDirectories(JobDirectories):
    """Real directories, and what was done to them."""

    calls: Calls
    makes_ahead = False

    def make_ahead(self, owner: int | None = None) -> None:
        if self.makes_ahead:
            super().make_ahead(None)

    async def take(self, owner: int | None = None) -> str:
        path = await super().take()  # giving it to another user takes a privilege
        self.calls.append(("make", owner))
        return path

    def take_back(self, path: str, then: Callable[[], None]) -> None:
        self.calls.append(("take back", path))
        super().take_back(path, then)

    def remove(self, path: str) -> "asyncio.Future[object]":
        self.calls.append(("remove", path))
        return super().remove(path)

    async def close(self) -> None:
        await super().close()
        self.calls.append("directories close")


class Scene:
    """A runner, its launcher, and what was called."""

    def __init__(self, directory: Path, spares: int) -> None:
        self.calls: Calls = []
        self.launcher = Launcher(self.calls)
        self.runner = JobRunner(self.launcher, SETTINGS, directory, spares=spares)  # type: ignore[arg-type]
        self.runner._directories = RecordedDirectories(directory, spares)
        self.runner._directories.calls = self.calls

    def begin(self, job: Job, entry: Any = ENTRY, **asked: Any) -> "asyncio.Task[Finished]":
        return asyncio.ensure_future(self.runner.run(job, entry, **asked))

    async def child(self, number: int = 1) -> RecordedChild:
        await until(lambda: len(self.launcher.children) >= number, f"child {number} is born")
        return self.launcher.children[number - 1]

    async def told(self, child: RecordedChild) -> tuple[Order, Begin, bytes]:
        """Read all that the child is told before its job begins, as it would: the payload last."""
        reader, writer = await asyncio.open_connection(sock=child.far.dup())
        frames = [await asyncio.wait_for(read_frame(reader, 2**21), PATIENCE_SECONDS) for _ in range(2)]
        writer.transport.abort()
        (order, _), (begin, payload) = ((to_child(each), each.payload) for each in frames if each is not None)
        assert isinstance(order, Order)
        assert isinstance(begin, Begin)
        return order, begin, payload

    async def order(self, child: RecordedChild) -> tuple[Order, bytes]:
        """Do the same, for those who don't look at when it begins."""
        order, _, payload = await self.told(child)
        return order, payload

    async def end(self, child: RecordedChild, outcome: Outcome = DONE, payload: bytes = b"{}") -> None:
        await child.send(outcome.pack(payload))
        child.end(EXIT_0)

    async def run(self, job: Job, entry: Any = ENTRY, outcome: Outcome = DONE) -> Finished:
        """Run a job in the next child, to an outcome."""
        number = len(self.launcher.children) + 1
        running = self.begin(job, entry)
        child = await self.child(number)
        await self.order(child)
        await self.end(child, outcome)
        return await asyncio.wait_for(running, PATIENCE_SECONDS)


@asynccontextmanager
async def scene(directory: Path, *, spares: int = 0) -> AsyncIterator[Scene]:
    made = Scene(directory / "jobs", spares)
    await made.runner.prepare()
    try:
        yield made
    finally:
        made.launcher.may_start.set()
        for child in made.launcher.children:
            child.end(EXIT_0)
        await made.runner.close()
        for child in made.launcher.children:
            FakeChild.close(child)
