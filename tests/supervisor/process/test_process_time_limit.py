"""Time limits of a process that stands still: who has answered in time is heard, and who has not is given up."""

import asyncio
import socket

import pytest

from supervisor.process.time_limit import (
    LATE_SECONDS,
    MORE_SECONDS,
    FairTimer,
    TimeLimit,
    done_within,
    time_limit,
)
from tests.simulated_time import START, elapsed, simulate, stand_still

LIMIT = 10.0


async def heard(after_seconds: float, *, answered_at: float | None = None) -> tuple[bytes, float]:
    """Wait for an answer over a socket while this process stands still. Returns the answer, and when it was heard.

    By default the answer comes before this process stands still, which then can't read it.
    """
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    loop = asyncio.get_running_loop()
    with theirs:
        try:
            async with time_limit(LIMIT):
                if answered_at is None:
                    theirs.send(b"yes")
                else:
                    loop.call_at(START + answered_at, theirs.send, b"yes")
                loop.call_soon(stand_still, after_seconds)
                return await reader.read(10), elapsed()
        except TimeoutError:
            return b"", elapsed()
        finally:
            writer.close()


@pytest.mark.parametrize("seconds", [LIMIT - 1, LIMIT, LIMIT + LATE_SECONDS / 2, LIMIT + 50])
def test_an_answer_that_came_while_this_process_stood_still_is_heard(seconds: float) -> None:
    assert simulate(heard(seconds)) == (b"yes", pytest.approx(seconds))


def test_one_that_stood_still_too_has_a_moment_to_answer() -> None:
    at = LIMIT + 50 + MORE_SECONDS / 2
    assert simulate(heard(LIMIT + 50, answered_at=at)) == (b"yes", pytest.approx(at))


def test_one_that_has_not_answered_then_is_given_up() -> None:
    assert simulate(heard(0.0, answered_at=1000.0)) == (b"", LIMIT)
    assert simulate(heard(LIMIT + 50, answered_at=1000.0)) == (b"", LIMIT + 50 + MORE_SECONDS)


def test_a_loop_that_is_always_late_gives_up_at_some_time() -> None:
    async def wait() -> float:
        loop = asyncio.get_running_loop()

        def be_late() -> None:
            stand_still(0.3)
            loop.call_later(0.001, be_late)

        be_late()
        with pytest.raises(TimeoutError):
            async with time_limit(LIMIT):
                await asyncio.Event().wait()
        return elapsed()

    assert LIMIT < simulate(wait()) < LIMIT + 6 * MORE_SECONDS


def test_a_time_that_is_set_anew_counts_alone_until_it_is_over() -> None:
    async def wait(*times: float) -> float:
        began = elapsed()
        limit = TimeLimit(START + began + LIMIT)

        async def wait_with_new_times() -> None:
            async with limit:
                for seconds in times:
                    limit.reschedule(START + began + seconds)
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            await wait_with_new_times()
        limit.reschedule(START)  # it is over
        return elapsed() - began

    async def each() -> list[float]:
        return [await wait(2.0), await wait(50.0), await wait(1.0, 30.0), await wait()]

    assert simulate(each()) == [2.0, 50.0, 30.0, LIMIT]


def test_a_cancellation_is_no_time_out_and_what_was_done_in_time_has_none_later() -> None:
    async def live() -> float:
        async def waits() -> None:
            async with time_limit(LIMIT):
                await asyncio.Event().wait()

        waiting = asyncio.ensure_future(waits())
        await asyncio.sleep(1.0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with time_limit(LIMIT):
            await asyncio.sleep(1.0)
        await asyncio.sleep(10 * LIMIT)
        return elapsed()

    assert simulate(live()) == 2.0 + 10 * LIMIT


def test_a_timer_goes_off_once_unless_it_is_cancelled() -> None:
    async def live() -> list[float]:
        fired: list[float] = []
        FairTimer(START + 1.0, lambda: fired.append(elapsed()))
        FairTimer(START + 2.0, lambda: fired.append(elapsed())).cancel()
        await asyncio.sleep(20.0)
        return fired

    assert simulate(live()) == [1.0]


@pytest.mark.parametrize(
    ("stands_still", "done_at", "is_done"),
    [(0.0, 5.0, True), (0.0, 11.0, False), (60.0, 60.5, True), (60.0, 70.0, False)],
)
def test_a_future_has_its_time_and_a_moment_after_a_standstill(
    stands_still: float, done_at: float, is_done: bool
) -> None:
    async def wait() -> bool:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        loop.call_at(START + done_at, future.set_result, None)
        loop.call_soon(stand_still, stands_still)
        return await done_within(LIMIT, future)

    assert simulate(wait()) is is_done
