"""An engine and a worker on the wire for each test."""

from collections.abc import AsyncIterator

import pytest
from devengine_support import ECHO, Clock, HttpWorker, running_engine

from sdk.devengine import DevEngine


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def engine(clock: Clock) -> AsyncIterator[DevEngine]:
    async with running_engine(clock) as engine:
        yield engine


@pytest.fixture
async def worker(engine: DevEngine) -> AsyncIterator[HttpWorker]:
    """A registered worker that offers the echo block."""
    async with HttpWorker(engine.url, engine.token_file) as worker:
        await worker.register(ECHO)
        yield worker
