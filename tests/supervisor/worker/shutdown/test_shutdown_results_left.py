"""A worker that stops while the engine lacks results of its jobs: the engine must not fail these jobs."""

import asyncio
from typing import Any

import pytest

from supervisor.log.events.worker import ResultsLeft
from supervisor.worker.end_steps import EndSteps
from tests.log_events import told


class Parts:
    """All parts of a worker in one: `waiting` results are left, and `ends` has what became of the registration."""

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        self.ends: list[bool] = []

    def stop_all(self) -> None: ...

    async def wait_until_delivered(self, timeout_seconds: float) -> bool:
        return not self.waiting

    async def end(self, *, unregister: bool = True) -> None:
        self.ends.append(unregister)


@pytest.mark.parametrize("waiting", [0, 2])
async def test_it_unregisters_only_if_the_engine_has_all_results(
    waiting: int, caplog: pytest.LogCaptureFixture
) -> None:
    parts: Any = Parts(waiting)
    ended: asyncio.Task[None] = asyncio.ensure_future(asyncio.sleep(0))
    steps = EndSteps(ended, ended, parts, parts, parts, parts)
    await steps.deliver_rest()
    await steps.unregister()
    await ended
    assert parts.ends == [not waiting]
    assert told(caplog, ResultsLeft) == ([{"results": waiting}] if waiting else [])
