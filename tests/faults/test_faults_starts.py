"""The machine has no process, thread, memory or descriptor left where the worker needs one, and later it has again."""

import contextlib
import errno
import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.scarce import Site, site
from tests.patience import until

EACH_WAY = [
    *(("template", call, errno.EAGAIN) for call in ("process", "fork", "second_fork")),
    *(("template", call, errno.EMFILE) for call in ("socketpair", "pipe", "pidfd", "descriptors")),
    *(("template", call, errno.ENOMEM) for call in ("process", "memfd", "pidfd")),
    ("spawn", "process", errno.EAGAIN),
    *(("spawn", call, errno.EMFILE) for call in ("socketpair", "pipe", "pidfd", "descriptors")),
    *(("spawn", call, errno.ENOMEM) for call in ("process", "memfd", "pidfd")),
]


class Sites:
    """A site for each way to start children, which the tests use one after the other. One that a test has failed with
    is not used again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, tuple[contextlib.AsyncExitStack, Site]] = {}
        self._numbers = itertools.count()

    @contextlib.asynccontextmanager
    async def lent(self, method: str) -> AsyncIterator[Site]:
        if method not in self._open:
            directory = self._directory / f"{method}{next(self._numbers)}"
            directory.mkdir()
            stack = contextlib.AsyncExitStack()
            self._open[method] = stack, await stack.enter_async_context(site(directory, start_method=method))
        stack, scarce = self._open[method]
        try:
            yield scarce
        except BaseException:
            del self._open[method]
            await stack.aclose()
            raise

    async def close(self) -> None:
        for stack, scarce in self._open.values():
            async with stack:
                await scarce.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sites(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sites]:
    made = Sites(tmp_path_factory.mktemp("sites"))
    yield made
    await made.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "call", "number"), EACH_WAY)
async def test_a_job_that_waits_for_its_child_runs_within_seconds_of_the_fault_and_no_descriptor_is_left(
    sites: Sites, method: str, call: str, number: int
) -> None:
    async with sites.lent(method) as scarce:
        before = await scarce.settled_descriptors()
        scarce.run_out(call, number)
        await scarce.kill_template_and_spares()
        waiting = scarce.submit() if call != "descriptors" else None  # without them nothing can be claimed
        if waiting is None:
            await until(lambda: "event=children_failing" in scarce.said(), "a start fails")
        else:
            await until(lambda: scarce.hits(call) >= 3, f"{call} fails")
        scarce.recover()
        end = time.monotonic() + scarce.recovery_seconds
        record = await scarce.result(waiting or scarce.submit())
        assert (record.result_status, time.monotonic() < end) == ("success", True), scarce.worker.said()
        assert (await scarce.run(scarce.recovery_seconds)).result_status == "success"
        await scarce.holds_no_more_than(before)
