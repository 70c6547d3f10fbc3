"""What a job waits for last: its claim is on the disk before its payload is sent. Its child gets ready meanwhile."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from jobs_support import Scene, job, scene

from jobrunner.protocol.frames import read_frame
from jobrunner.protocol.messages import NotIsolated, Order, Outcome, to_child
from supervisor.verdict import Cause, ExitStatus
from tests.patience import PATIENCE_SECONDS, until
from tests.supervisor.job.execution.execution_support import RecordedChild

LARGE = "x" * 1_000_000
PASSWORD = "Trellis-Wagon-1842"


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
        return child.recv(100_000, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


async def ordered(data: bytes) -> tuple[Order, bytes]:
    """Return the order that was sent, and what was sent behind it."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    frame = await read_frame(reader, 0)
    assert frame is not None
    order = to_child(frame)
    assert isinstance(order, Order)
    reader.feed_eof()
    return order, await reader.read()


@pytest.mark.parametrize("context", [{}, {"devices": [LARGE]}], ids=["small", "large"])
async def test_the_payload_waits_for_the_claim_and_nothing_else_does(
    tmp_path: Path, context: dict[str, object]
) -> None:
    waits, may_go_on, before_begin = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(context=context), before_begin=before_begin)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        assert stage.calls == ["spawn_child", ("make", None)]
        child = await stage.child()
        order, behind = await ordered(sent(child.far))
        assert (order.job_id, os.path.isdir(order.job_directory)) == ("job", True)
        assert behind == b"", "no byte of the payload"
        assert stage.runner._watchers.sampler._watched.keys() == {child.pid}
        assert [each._pid for each in stage.runner._sweeper._jobs] == [child.pid]
        may_go_on.set()
        assert await stage.order(child) == (order, b"".join(job(context=context).payload()))
        await stage.end(child)
        assert (await asyncio.wait_for(running, PATIENCE_SECONDS)).verdict.success


async def test_a_child_has_its_order_before_anything_else_is_done_for_its_job(tmp_path: Path) -> None:
    """On a good disk, that takes as long as its claim."""
    had_it: list[bool] = []
    async with scene(tmp_path) as stage:
        running = stage.begin(
            job(), on_start=lambda _: had_it.append(bool(sent(stage.launcher.children[0].far)))
        )
        await stage.order(await stage.child())
        assert had_it == [True]
        await stage.end(await stage.child())
        assert (await asyncio.wait_for(running, PATIENCE_SECONDS)).verdict.success


async def test_a_job_has_all_of_its_time_however_long_its_claim_takes(tmp_path: Path) -> None:
    waits, may_go_on, before_begin = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_begin=before_begin)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        child = await stage.child()
        begun_at = time.monotonic()
        may_go_on.set()
        _, begin, _ = await stage.told(child)
        assert begun_at + 30.0 <= begin.deadline <= time.monotonic() + 30.0
        await stage.end(child)
        assert (await asyncio.wait_for(running, PATIENCE_SECONDS)).verdict.success


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
    waits, may_go_on, before_begin = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_begin=before_begin)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        end(stage)
        child = await stage.child()
        with child.far.dup() as far:
            may_go_on.set()
            concluded = await asyncio.wait_for(running, PATIENCE_SECONDS)
            assert (await ordered(sent(far)))[1] == b""
        assert concluded.verdict.cause is cause
        assert concluded.verdict.message.startswith("Not run: ")
        assert stage.calls[:5] == ["spawn_child", ("make", None), "give up", "close", "give back"]
        assert stage.runner._running == {}
        assert stage.runner._watchers.sampler._watched == {}
        assert stage.runner._sweeper._jobs == {}
        await until(lambda: not list((tmp_path / "jobs").iterdir()), "its directory is removed")


Say = Callable[[RecordedChild], Awaitable[None]]


async def nothing(child: RecordedChild) -> None:
    """Say nothing."""


async def a_success(child: RecordedChild) -> None:
    """Only code could send it that speaks on the channel itself."""
    await child.send(Outcome(success=True, message="done", body_bytes=2).pack(b"{}"))


async def its_last_words(child: RecordedChild) -> None:
    os.write(child.far_stderr, f"MemoryError: with {PASSWORD}\n".encode())


async def not_kept_apart(child: RecordedChild) -> None:
    await child.send(NotIsolated().pack())
    os.write(child.far_stderr, b"a set of rules: Cannot allocate memory.\n")


@pytest.mark.parametrize(
    ("say", "status", "message", "last_output"),
    [
        (
            nothing,
            ExitStatus(signal_name="SIGKILL"),
            "Not run: its process ended with signal SIGKILL before the job began.",
            None,
        ),
        (
            a_success,
            ExitStatus(code=0),
            "Not run: its process ended with exit code 0 before the job began.",
            None,
        ),
        (
            its_last_words,
            ExitStatus(code=70),
            "Not run: its process ended with exit code 70 before the job began.",
            "MemoryError: with ***",
        ),
        (
            not_kept_apart,
            ExitStatus(code=73),
            "Not run: its process could not be kept apart from the rest of the machine (--isolation kernel). Its "
            "last output says what the kernel refused.",
            "a set of rules: Cannot allocate memory.",
        ),
    ],
    ids=["killed", "says a success", "breaks", "not kept apart"],
)
async def test_a_job_whose_child_ends_while_it_waits_for_its_claim_is_not_run_and_blames_no_block(
    tmp_path: Path, say: Say, status: ExitStatus, message: str, last_output: str | None
) -> None:
    waits, may_go_on, before_begin = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(parameters={"password": PASSWORD}), before_begin=before_begin)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        child = await stage.child()
        await say(child)
        child.end(status)
        may_go_on.set()
        finished = await asyncio.wait_for(running, PATIENCE_SECONDS)
        verdict = finished.verdict
        assert (verdict.success, verdict.cause, verdict.retryable) == (False, Cause.START_FAILED, True)
        first, cause, *last = verdict.message.split("\n")
        assert first == message
        assert cause.startswith("Cause: start_failed. Usage: ran 0.0 s of 30 s, ")
        assert last == ([] if last_output is None else ["Last output:", last_output])
        assert (verdict.keeps_outcome, finished.stuck) == (False, False)
        await until(lambda: "close" in stage.calls, "its child is closed")


async def test_a_child_that_can_not_be_kept_apart_and_still_ends_when_its_job_may_begin_is_told_as_such(
    tmp_path: Path,
) -> None:
    waits, may_go_on, before_begin = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_begin=before_begin)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        child = await stage.child()
        await not_kept_apart(child)
        may_go_on.set()
        await stage.order(child)
        child.end(ExitStatus(code=73))
        verdict = (await asyncio.wait_for(running, PATIENCE_SECONDS)).verdict
        assert (verdict.cause, verdict.retryable) == (Cause.START_FAILED, True)
        assert verdict.message.startswith("Not run: its process could not be kept apart")


async def test_a_job_that_waits_for_its_claim_is_seen_as_starting(tmp_path: Path) -> None:
    waits, may_go_on, before_begin = gate()
    async with scene(tmp_path) as stage:
        running = stage.begin(job(), before_begin=before_begin)
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        view = stage.runner.view("job")
        assert view is not None
        assert view.state == "starting"
        may_go_on.set()
        child = await stage.child()
        await stage.order(child)
        await stage.end(child)
        await asyncio.wait_for(running, PATIENCE_SECONDS)
        assert stage.runner.view("job") is None
