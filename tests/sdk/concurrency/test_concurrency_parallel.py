"""`run_parallel`: order, limit, and nobody left behind."""

import asyncio
import gc
import logging
from typing import Any

import pytest

from sdk.concurrency import run_parallel


class Stage:
    """Coroutines that note what becomes of them."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.running = 0
        self.most = 0

    async def work(self, name: str, turns: int = 1, clean_up_turns: int = 0) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        self.notes.append(f"{name} begins")
        try:
            for _ in range(turns):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            for _ in range(clean_up_turns):
                await asyncio.sleep(0)
            self.notes.append(f"{name} cleaned up")
            raise
        finally:
            self.running -= 1
        return name

    async def fail(self, name: str, turns: int = 1) -> str:
        await self.work(name, turns)
        raise ValueError(name)


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_results_come_in_the_order_given_whatever_ends_first(stage: Stage) -> None:
    assert await run_parallel(stage.work("a", 9), stage.work("b", 1), stage.work("c", 5)) == ["a", "b", "c"]
    assert stage.most == 3
    assert await run_parallel() == []


async def test_a_limit_bounds_how_many_run_and_keeps_the_order(stage: Stage) -> None:
    names = [str(number) for number in range(20)]
    results = await run_parallel(*(stage.work(each, 20 - int(each)) for each in names), limit=3)
    assert results == names
    assert stage.most == 3
    assert [note for note in stage.notes if "begins" in note] == [f"{each} begins" for each in names]


async def test_the_first_failure_cancels_the_others_and_waits_until_they_have_cleaned_up(
    stage: Stage,
) -> None:
    with pytest.raises(ValueError, match="bad"):
        await run_parallel(stage.work("a", 999, clean_up_turns=20), stage.fail("bad"), stage.work("b", 999))
    assert stage.notes[-2:] == ["b cleaned up", "a cleaned up"]
    assert stage.running == 0


async def test_what_had_not_begun_at_a_failure_is_closed_without_a_warning(stage: Stage) -> None:
    waiting = [stage.work("never", 5) for _ in range(3)]
    with pytest.raises(ValueError, match="bad"):
        await run_parallel(stage.fail("bad"), *waiting, limit=1)
    assert [each.cr_frame for each in waiting] == [None, None, None]
    del waiting
    gc.collect()  # "never awaited" would be an error here


async def test_a_cancelled_caller_leaves_nobody_behind_also_when_cancelled_again(stage: Stage) -> None:
    task = asyncio.create_task(
        run_parallel(stage.work("a", 999, clean_up_turns=10), stage.work("b", 999), stage.work("c"), limit=2)
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.running == 0
    assert "b cleaned up" in stage.notes
    assert "c begins" not in stage.notes


async def test_a_caller_that_is_cancelled_while_others_clean_up_after_a_failure_is_cancelled(
    stage: Stage,
) -> None:
    """The failure must not swallow the cancellation: whoever cancels a task waits for it to end as cancelled."""
    cleaning = asyncio.Event()

    async def cleans_up_until_it_is_cancelled_again() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(run_parallel(cleans_up_until_it_is_cancelled_again(), stage.fail("bad")))
    async with asyncio.timeout(30):
        await cleaning.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert task.cancelled()


async def test_with_return_exceptions_a_failure_is_a_result_and_cancels_nobody(stage: Stage) -> None:
    first, second, third = await run_parallel(
        stage.work("a", 9), stage.fail("bad"), stage.work("c", 5), return_exceptions=True
    )
    assert (first, third) == ("a", "c")
    assert isinstance(second, ValueError)


async def test_a_task_that_was_cancelled_counts_as_a_failure(stage: Stage) -> None:
    given = asyncio.create_task(stage.work("a", 999))
    asyncio.get_running_loop().call_soon(given.cancel)
    (result,) = await run_parallel(given, return_exceptions=True)
    assert isinstance(result, asyncio.CancelledError)


async def test_a_second_failure_is_logged_and_not_reported_as_never_retrieved(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with pytest.raises(ValueError, match="one"):
        await run_parallel(stage.fail("one", 3), stage.fail("two", 3))
    gc.collect()
    (record,) = caplog.records
    assert "ValueError: two" in record.message


async def test_one_awaitable_given_twice_is_awaited_once(stage: Stage) -> None:
    once = stage.work("a")
    assert await run_parallel(once, stage.work("b"), once) == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: None, "argument 2 can't be awaited: function. Call it."),
        ([], "argument 2 can't be awaited: list. Unpack a list"),
    ],
)
async def test_what_can_not_be_awaited_is_refused_before_anything_runs(
    stage: Stage, wrong: Any, text: str
) -> None:
    with pytest.raises(TypeError) as caught:
        await run_parallel(stage.work("a"), wrong)
    assert text in str(caught.value)
    assert stage.notes == []


async def test_a_limit_below_one_is_refused(stage: Stage) -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        await run_parallel(stage.work("a"), limit=0)
    assert stage.notes == []


@pytest.mark.parametrize("limit", ["3", 2.0, True])
async def test_a_limit_that_is_no_integer_is_refused(stage: Stage, limit: Any) -> None:
    with pytest.raises(TypeError, match=r"limit is .*\. Give an integer"):
        await run_parallel(stage.work("a"), limit=limit)
    assert stage.notes == []


async def test_each_of_very_many_is_looked_at_once_and_not_at_each_end_of_another() -> None:
    looks = 0

    class Watched(asyncio.Future[int]):
        def add_done_callback(self, *args: Any, **kwargs: Any) -> None:
            nonlocal looks
            looks += 1
            super().add_done_callback(*args, **kwargs)

    many = [Watched() for _ in range(100)]

    async def end_one_after_the_other() -> None:
        for number, each in enumerate(many):
            each.set_result(number)
            for _ in range(5):
                await asyncio.sleep(0)

    ending = asyncio.create_task(end_one_after_the_other())
    assert await run_parallel(*many) == list(range(100))
    await ending
    assert looks == 100
