"""The thread for calls to a disk: in their order, never longer than the limit, and never all held up by one."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import pytest

from supervisor.process.disk_thread import AGAIN, DiskHangsError, DiskThread
from tests.patience import until


@contextlib.asynccontextmanager
async def started(limit_seconds: float = 60.0) -> AsyncIterator[DiskThread]:
    thread = DiskThread("test", limit_seconds)
    yield thread
    assert await thread.close(60.0)


async def test_calls_are_made_in_their_order_and_return_or_raise_what_they_do() -> None:
    async with started() as thread:
        made: list[int] = []
        calls = [thread.submit(made.append, number) for number in range(100)]
        assert await thread.call(int, "7") == 7
        assert made == list(range(100))
        with pytest.raises(ZeroDivisionError):
            await thread.call(divmod, 1, 0)
        await asyncio.gather(*calls)


async def test_a_call_that_hangs_is_waited_for_until_the_limit_and_then_nobody_is_made_to_wait() -> None:
    disk = threading.Event()
    thread = DiskThread("test", 0.05)
    assert not thread.hangs
    with pytest.raises(DiskHangsError, match=r"not answered within 0\.05 s"):
        await thread.call(disk.wait)
    await until(lambda: thread.hangs, "it is known to hang")
    thread.limit_seconds = 0.0  # whoever waited now would wait for ever, not for nothing
    with pytest.raises(DiskHangsError):
        await thread.call(int)
    assert thread._calls.qsize() == 0, "nothing more is asked of a disk that hangs"
    assert not await thread.close(60.0), "its end is not waited for"
    disk.set()
    thread.limit_seconds = 60.0
    assert await thread.close(60.0)


async def test_what_a_call_returns_that_came_back_too_late_is_still_there_for_who_asked() -> None:
    disk = threading.Event()
    async with started(0.05) as thread:
        late = thread.submit(lambda: disk.wait() and "made")
        with pytest.raises(DiskHangsError):
            await thread.within_limit(late)
        disk.set()
        assert await late == "made"
        thread.limit_seconds = 60.0  # of its end too, on a busy machine


async def test_a_long_call_lets_those_that_wait_have_their_turn_and_is_done_before_the_end() -> None:
    async with started() as thread:
        order: list[str] = []
        go = threading.Event()

        def in_parts() -> object:
            go.wait()
            order.append("part")
            return AGAIN if order.count("part") < 3 else "whole"

        long = thread.submit(in_parts)
        short = thread.submit(order.append, "short")
        go.set()
        await short
        closing = asyncio.ensure_future(thread.close(60.0))
        assert await long == "whole"
        assert await closing
        assert order == ["part", "short", "part", "part"]


async def test_what_is_to_be_called_again_when_the_end_is_asked_for_is_done_before_it() -> None:
    thread = DiskThread("test", 60.0)
    parts: list[int] = []
    end_is_asked_for = threading.Event()

    def in_parts() -> object:
        end_is_asked_for.wait()
        parts.append(len(parts))
        return AGAIN if len(parts) < 3 else "whole"

    long = thread.submit(in_parts)
    closing = asyncio.ensure_future(thread.close(60.0))
    await until(lambda: thread._closing, "the end is asked for")
    end_is_asked_for.set()
    assert await closing
    await asyncio.sleep(0)  # the loop hears of what the thread has done last
    assert parts == [0, 1, 2]
    assert long.done()
    assert long.result() == "whole"


async def test_where_there_is_nothing_to_do_it_looks_now_and_then() -> None:
    looked = threading.Event()
    thread = DiskThread("test", idle=looked.set, idle_seconds=lambda: 0.01)
    await until(looked.is_set, "it has looked")
    assert await thread.close(60.0)
