"""A poller with an engine, a registration, a dispatcher and lost claims that are the test's, in simulated time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from supervisor.engine import Poll
from supervisor.engine.arrival import Arrival
from supervisor.worker.poller import Poller
from tests.observed import Observed
from tests.programs.fuzz.fakes import block_entry
from tests.simulated_time import elapsed, simulate

INTERVAL = 1.0
JOB: Any = "a job"
Then = Callable[["Scene"], Awaitable[None]]


class Scene:
    """Engine, registration, dispatcher and lost claims in one, and what was asked of each."""

    def __init__(self) -> None:
        self.uuid = "w-1"
        self.accepted = [block_entry()]
        self.changed = asyncio.Event()
        self.free_slots = 2
        self.rooms: dict[str, int] = {}
        """How many more jobs of a block may come, where it has slots of its own."""
        self.answers: list[Poll | Exception] = []
        self.calls: list[Any] = []
        self.polls: list[float] = []
        self.answer_seconds = 0.0
        self.look_seconds = 0.0
        self.arrival_seconds = 0.0
        self.renew_seconds = 0.0
        self.is_known_after_all = False
        self.polling: asyncio.Task[None]
        part: Any = self
        self.is_open = True
        self.are_suspected = False
        self.was_last_look = False
        self.observed = Observed()
        self.poller = Poller(
            part, part, part, part, INTERVAL, observer=self.observed, may_claim=lambda: self.is_open
        )

    def to_ask_for(self, blocks: list[Any], free: int, covered: int) -> tuple[list[Any], int]:
        blocks = [block for block in blocks if self.rooms.get(block.name, 1)]
        return blocks, min([free, *(self.rooms[block.name] for block in blocks if block.name in self.rooms)])

    async def poll(self, worker_uuid: str, blocks: tuple[Any, ...], limit: int, arrival: Arrival) -> Poll:
        self.calls.append(("poll", worker_uuid, len(blocks), limit))
        self.polls.append(elapsed())
        await asyncio.sleep(self.answer_seconds)
        answer = self.answers.pop(0) if self.answers else Poll(())
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def accept(
        self, jobs: tuple[Any, ...], worker_uuid: str, limit: int, arrival_seconds: float
    ) -> None:
        self.arrival_seconds = arrival_seconds
        if jobs:
            self.calls.append(("accept", len(jobs), worker_uuid))

    async def look(self, worker_uuid: str, *, last: bool = False) -> None:
        self.calls.append(("look", worker_uuid))
        self.was_last_look = last
        if self.look_seconds and not last:
            await asyncio.sleep(self.look_seconds)

    def suspect(self) -> None:
        self.calls.append("suspect")

    async def renew(self, uuid: str) -> None:
        self.calls.append(("renew", uuid))
        try:
            await asyncio.sleep(self.renew_seconds)
        except asyncio.CancelledError:
            self.calls.append("renewal given up")
            raise
        if not self.is_known_after_all:
            self.uuid = "w-2"

    def of(self, *names: str) -> list[Any]:
        return [call for call in self.calls if (call if isinstance(call, str) else call[0]) in names]


def live(then: Then, **changes: Any) -> Scene:
    """Poll while the test does something; then stop, and wait for the end."""

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


def seconds(count: float) -> Then:
    return lambda scene: asyncio.sleep(count)


def pauses(scene: Scene) -> list[float]:
    return [later - earlier for earlier, later in zip([0.0, *scene.polls], scene.polls, strict=False)][1:]
