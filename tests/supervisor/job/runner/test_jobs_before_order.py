"""What a job waits for last: its claim is on the disk before its order is sent."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from jobs_support import Scene, job, scene

from supervisor.verdict import Cause, ExitStatus
from tests.patience import PATIENCE_SECONDS, until


def gate() -> tuple[asyncio.Event, asyncio.Event, Callable[[], Awaitable[None]]]:
    """Return what tells that a job waits, what lets it go on, and what it is to wait for."""
    waits, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        waits.set()
        await may_go_on.wait()

    return waits, may_go_on, wait


def sent(child: socket.socket) -> bytes:
    """Return what a child could read now."""
    try:
        return child.recv(100, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


async def test_the_order_waits_for_the_claim_and_nothing_else_does(tmp_path: Path) -> None:
    waits, may_go_on, before_order = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_order=before_order)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        assert stage.calls == ["spawn_child", ("make", None)]
        child = await stage.child()
        assert sent(child.far) == b""
        assert stage.runner._watchers.sampler._watched.keys() == {child.pid}
        assert [each._pid for each in stage.runner._sweeper._jobs] == [child.pid]
        may_go_on.set()
        await stage.order(child)
        await stage.end(child)
        assert (await asyncio.wait_for(running, 20)).verdict.success


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (lambda stage: stage.runner.cancel("job"), Cause.CANCELLED),
        (lambda stage: stage.runner.stop_all(), Cause.WORKER_STOPPING),
    ],
)
async def test_a_job_that_is_ended_while_it_waits_for_its_claim_is_not_begun(
    tmp_path: Path, end: Callable[[Scene], None], cause: Cause
) -> None:
    """It would do a part of its work, and be killed without its grace."""
    waits, may_go_on, before_order = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_order=before_order)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        end(stage)
        child = await stage.child()
        with child.far.dup() as far:
            may_go_on.set()
            concluded = await asyncio.wait_for(running, 20)
            assert sent(far) == b""
        assert concluded.verdict.cause is cause
        assert concluded.verdict.message.startswith("Not run: ")
        assert stage.calls[:5] == ["spawn_child", ("make", None), "give up", "close", "give back"]
        assert stage.runner._running == {}
        assert stage.runner._watchers.sampler._watched == {}
        assert stage.runner._sweeper._jobs == {}
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")


async def test_a_job_whose_child_ends_while_it_waits_for_its_claim_is_not_run_and_blames_no_block(
    tmp_path: Path,
) -> None:
    waits, may_go_on, before_order = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_order=before_order)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        (await stage.child()).end(ExitStatus(signal_name="SIGKILL"))
        may_go_on.set()
        verdict = (await asyncio.wait_for(running, 20)).verdict
        assert (verdict.cause, verdict.retryable) == (Cause.START_FAILED, True)
        assert verdict.message == "Not run: Its process ended with signal SIGKILL before the job began."
        assert "close" in stage.calls


async def test_a_job_that_waits_for_its_claim_is_seen_as_starting(tmp_path: Path) -> None:
    waits, may_go_on, before_order = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_order=before_order)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        view = stage.runner.view("job")
        assert view is not None
        assert view.state == "starting"
        may_go_on.set()
        child = await stage.child()
        await stage.order(child)
        await stage.end(child)
        await asyncio.wait_for(running, 20)
        assert stage.runner.view("job") is None
