"""An engine in this process and real workers: one that many tests share, and fresh ones where it matters."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from contract_support import Setup
from contract_worker import Worker

from sdk.devengine import DevEngine, EngineOptions

StartWorker = Callable[..., Worker]

BROKEN_MODULE = "import a_module_that_nobody_has_installed\n"


@pytest_asyncio.fixture(loop_scope="session")
async def engine() -> AsyncIterator[DevEngine]:
    """A fresh engine of the 0.42 generation."""
    async with DevEngine(EngineOptions(without_token=True)) as engine:
        yield engine


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Start a worker; the same `name` gets the same state directory. All are ended with the test."""
    workers: list[Worker] = []

    def start(engine_url: str, *flags: str, name: str = "worker", **how: Any) -> Worker:
        worker = Worker(engine_url, tmp_path / name, *flags, **how)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.kill()
        print(worker.log)


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(engine: DevEngine, start_worker: StartWorker) -> Setup:
    """A worker with two slots that belongs to this test alone."""
    worker = start_worker(engine.url, "--max-concurrent-jobs", "2", "--function-blocks", "blocks.testing")
    await worker.ready()
    return Setup(engine, worker)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Setup]:
    """One worker with two slots for the tests of a module. Its engine is of the 0.43 generation.

    Not for the whole session: while other modules run, nothing runs the engine's loop, and the worker would take it
    for an engine that is away.

    One of its modules can't be imported, so that everything here is also shown beside a broken module. A module of
    tests may have `WORKER_FLAGS` of its own.
    """
    flags = getattr(request.module, "WORKER_FLAGS", ())
    directory = tmp_path_factory.mktemp("shared")
    (directory / "broken_module.py").write_text(BROKEN_MODULE)
    sources = f"blocks.testing,{directory / 'broken_module.py'}"
    async with DevEngine(EngineOptions(without_token=True, id_grammar="0.43", max_attempts=2)) as engine:
        words = ("--max-concurrent-jobs", "2", "--function-blocks", sources, *flags)
        worker = Worker(engine.url, directory, *words)
        try:
            await worker.ready()
            yield Setup(engine, worker)
        finally:
            worker.kill()


@pytest.fixture
def setup(shared: Setup) -> Iterator[Setup]:
    """The shared worker, with a clean slate of requests, faults and log."""
    assert shared.worker.runs, "the shared worker has ended in an earlier test"
    shared.engine.clear_requests()
    shared.log_start = len(shared.worker.log)
    yield shared
    print(shared.log)
    left = shared.engine.faults.clear()
    assert shared.worker.runs, "the shared worker has ended in this test"
    assert left == 0, "a fault was ordered and never happened"
