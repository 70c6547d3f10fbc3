"""`schedule_task`: kept alive, told of, and ended with the job."""

import asyncio
import functools
import gc
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
)
from sdk.concurrency import schedule_task
from sdk.concurrency import tasks as tasks_module
from sdk.concurrency.tasks import RESERVE_SECONDS, NotAsyncError, ending_before
from sdk.testing import create_workflow_context
from tests.patience import until

Result = FunctionBlockResult[FunctionBlockResultData]


def block_of(run: Callable[["Block"], Any]) -> "Block":
    """A block that does this."""
    block = Block()
    block.does = run
    return block


class Block(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    """Does what a test says, and has a task."""

    does: Callable[["Block"], Any]

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    @schedule_task
    async def note(self, text: str, turns: int = 5, seconds: float = 0) -> str:
        try:
            for _ in range(turns):
                await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.notes.append(f"{text} cancelled")
            raise
        self.notes.append(text)
        return text

    @schedule_task
    async def fail(self) -> None:
        raise KeyError("lost")

    async def run(self, params: FunctionBlockParams, context: WorkflowContext) -> Result:
        success = await self.does(self)
        return Result(success=success, message="done")


async def executed(block: Block) -> Result:
    return await block.execute_function_block(FunctionBlockParams(), create_workflow_context("global"))


async def test_after_a_success_the_job_waits_for_its_tasks_and_theirs() -> None:
    @schedule_task
    async def schedules(block: Block) -> None:
        await asyncio.sleep(0)
        block.note("by the task", 9)

    async def run(block: Block) -> bool:
        schedules(block)
        task = block.note("first")
        assert isinstance(task, asyncio.Task)
        gc.collect()
        return True

    block = block_of(run)
    assert (await executed(block)).success
    assert block.notes == ["first", "by the task"]


@pytest.mark.parametrize("how", ["fails", "raises"])
async def test_after_a_failure_the_tasks_are_cancelled_and_waited_for(how: str) -> None:
    async def run(block: Block) -> bool:
        block.note("a", 10**6)
        await asyncio.sleep(0)
        if how == "raises":
            raise ValueError(how)
        return False

    block = block_of(run)
    assert not (await executed(block)).success
    assert block.notes == ["a cancelled"]


async def test_a_cancelled_block_takes_its_tasks_along() -> None:
    async def run(block: Block) -> bool:
        block.note("a", 10**6)
        await asyncio.sleep(60)
        return True

    block = block_of(run)
    job = asyncio.create_task(executed(block))
    await asyncio.sleep(0.01)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert block.notes == ["a cancelled"]


async def test_a_task_without_an_end_is_cancelled_before_the_time_limit_and_the_result_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warnings: list[str] = []

    def warn(text: str, *arguments: object) -> None:
        warnings.append(text % arguments)
        assert len(warnings) < 3, (
            "it warns without end"
        )  # and holds the loop, so that no time-out could end it

    monkeypatch.setattr(tasks_module._log, "warning", warn)

    async def run(block: Block) -> bool:
        block.note("endless", 10**9, 0.01)
        await asyncio.sleep(0)  # it has begun, also where the time is over by then
        return True

    block = block_of(run)
    with ending_before(time.monotonic() + RESERVE_SECONDS + 0.1):
        async with asyncio.timeout(30):
            result = await executed(block)
    assert result.success
    assert block.notes == ["endless cancelled"]
    (warning,) = warnings
    assert "its scheduled tasks are cancelled, its result stands: Block.note." in warning


async def test_while_it_waits_for_its_tasks_it_says_so_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(tasks_module, "_TELL_SECONDS", 0.02)
    ended = asyncio.Event()

    @schedule_task
    async def waits() -> None:
        await ended.wait()

    async def run(block: Block) -> bool:
        waits()
        return True

    job = asyncio.create_task(executed(block_of(run)))
    await until(lambda: "The block is done, and waits for its scheduled tasks:" in caplog.text)
    assert "waits." in caplog.text
    # It waits on, and several times as long as it takes to say so.
    await asyncio.wait({job}, timeout=5 * 0.02)
    ended.set()
    assert (await job).success
    assert caplog.text.count("The block is done") == 1


async def test_shortly_before_the_time_limit_it_says_only_that_it_cancels(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def run(block: Block) -> bool:
        block.note("endless", 10**9, 0.01)
        return True

    with ending_before(time.monotonic() + RESERVE_SECONDS + 0.1):
        await executed(block_of(run))
    assert [record.levelname for record in caplog.records if "tasks" in record.message] == ["WARNING"]


async def test_a_task_that_has_ended_is_not_kept() -> None:
    block = Block()
    tasks = [block.note("a"), block.fail()]
    assert tasks_module._ungrouped >= set(tasks)
    async with asyncio.timeout(30):
        await asyncio.wait(tasks)
    assert tasks_module._ungrouped.isdisjoint(tasks)


async def test_within_a_block_a_task_is_the_block_s_alone() -> None:
    seen: list[bool] = []

    async def run(block: Block) -> bool:
        task = block.note("a")
        seen.append(task in tasks_module._ungrouped)
        return True

    assert (await executed(block_of(run))).success
    assert seen == [False]


async def test_the_time_limit_of_a_job_is_not_that_of_the_next() -> None:
    with ending_before(time.monotonic()):
        pass

    async def run(block: Block) -> bool:
        block.note("a")
        return True

    block = block_of(run)
    await executed(block)
    assert block.notes == ["a"]


def test_how_long_before_the_time_limit_tasks_are_cancelled_is_told_to_authors() -> None:
    assert f"{RESERVE_SECONDS:g} s before its time limit" in (schedule_task.__doc__ or "")


async def test_a_failure_is_logged_once_with_its_traceback_and_changes_no_result(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run(block: Block) -> bool:
        block.fail()
        return True

    result = await executed(block_of(run))
    gc.collect()
    assert result.success
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "The scheduled task Block.fail failed:" in record.message
    assert Path(__file__).name in record.message
    assert "KeyError" in record.message


async def test_two_blocks_on_one_loop_wait_for_their_own_tasks_only() -> None:
    async def quick(block: Block) -> bool:
        return True

    async def slow(block: Block) -> bool:
        block.note("slow", 200)
        return True

    other = block_of(slow)
    waits = asyncio.create_task(executed(other))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await executed(block_of(quick))).success
    assert other.notes == []
    await waits
    assert other.notes == ["slow"]


def test_without_an_event_loop_it_raises() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        Block().note("a")


def _plain() -> None:
    pass


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [(_plain, "_plain. It is not async"), (property(_plain), "a property. Make it"), (3, "of 3. Give it")],
)
def test_what_is_not_async_is_refused_where_it_is_decorated(wrong: Any, advice: str) -> None:
    with pytest.raises(NotAsyncError, match=re.escape(advice)):
        schedule_task(wrong)


async def test_a_call_that_returns_no_coroutine_says_so() -> None:
    schedule = schedule_task(lambda: 3)  # type: ignore[arg-type, return-value]  # what is tested
    with pytest.raises(NotAsyncError, match="returned no coroutine, but int"):
        schedule()


async def test_what_another_decorator_made_of_an_async_function_is_a_task() -> None:
    async def answer() -> int:
        return 42

    @functools.wraps(answer)
    def decorated() -> Any:
        return answer()

    assert await schedule_task(decorated)() == 42
    assert await schedule_task(lambda: answer())() == 42


class _Static:
    @schedule_task  # type: ignore[arg-type]  # typed as the function in it, as run_in_thread has it
    @staticmethod
    async def above(text: str) -> str:
        return text

    @staticmethod
    @schedule_task
    async def below(text: str) -> str:
        return text


async def test_it_may_stand_above_or_below_staticmethod() -> None:
    assert await _Static().above("a") == await _Static.above("a") == "a"
    assert await _Static().below("b") == "b"
