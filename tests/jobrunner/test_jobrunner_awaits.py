"""Where tasks await, as text: once for each place, the author's first, and never in the way of the job."""

import asyncio
import os
import selectors
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from jobrunner import awaits as awaits_module
from jobrunner.awaits import write_awaiting, write_awaiting_when_idle, write_threads
from jobrunner.protocol.linux import END_OF_AWAITS


@pytest.fixture
def dump() -> Iterator[int]:
    awaits_module._written.clear()
    descriptor = os.memfd_create("test-awaits")
    yield descriptor
    os.close(descriptor)
    awaits_module._written.clear()


def text_of(dump: int) -> str:
    return os.pread(dump, 2**20, 0).decode()


async def inner(gate: asyncio.Event) -> None:
    await gate.wait()


async def outer(gate: asyncio.Event) -> None:
    await inner(gate)


async def elsewhere(gate: asyncio.Event) -> None:
    await gate.wait()


async def asked(gate: asyncio.Event) -> AsyncIterator[int]:
    await gate.wait()
    yield 1


async def asking(gate: asyncio.Event) -> None:
    async for _ in asked(gate):
        pass


@pytest.fixture
async def gate() -> AsyncIterator[asyncio.Event]:
    """Holds tasks up until the test is over."""
    gate = asyncio.Event()
    yield gate
    gate.set()
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))


async def start(coroutine, name: str) -> None:
    asyncio.get_running_loop().create_task(coroutine, name=name)
    await asyncio.sleep(0)


async def test_a_task_shows_its_frames_innermost_first_once(dump: int, gate: asyncio.Event) -> None:
    await start(outer(gate), "block")
    write_awaiting(dump)
    text = text_of(dump)
    assert text.count("Awaiting in task block (most recent call first):") == 1
    assert text.index(" in inner") < text.index(" in outer")
    write_awaiting(dump)
    assert text_of(dump).count("in task block") == 1


async def test_an_asynchronous_generator_is_a_step_on_the_way(dump: int, gate: asyncio.Event) -> None:
    await start(asking(gate), "block")
    write_awaiting(dump)
    assert text_of(dump).index(" in asked") < text_of(dump).index(" in asking")


async def test_the_job_s_own_task_comes_first_and_tasks_at_one_place_are_told_together(
    dump: int, gate: asyncio.Event
) -> None:
    for number in range(3):
        await start(elsewhere(gate), f"Task-{number}")
    await start(outer(gate), "block")
    write_awaiting(dump)
    text = text_of(dump)
    assert "Awaiting in task Task-0 and 2 more at the same place (most" in text
    assert text.index("in task block") < text.index("in task Task-0")


async def test_of_many_places_the_number_that_is_left_out_is_told(
    dump: int, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaits_module, "_PLACES", 1)
    await start(outer(gate), "block")
    for number in range(2):
        await start(elsewhere(gate), f"other-{number}")
    write_awaiting(dump)
    text = text_of(dump)
    # The test's own task stands at a third place.
    assert "Awaiting in task block, 3 more tasks elsewhere are not shown (most" in text
    assert " in elsewhere" not in text


async def test_only_a_loop_that_waits_is_told_of_and_the_end_is_said(dump: int, gate: asyncio.Event) -> None:
    await start(outer(gate), "block")
    write_awaiting_when_idle(None, dump)
    write_awaiting_when_idle(sys._getframe(), dump)
    assert text_of(dump) == ""
    idle = SimpleNamespace(f_code=SimpleNamespace(co_filename=selectors.__file__))
    write_awaiting_when_idle(idle, dump)
    assert " in inner" in text_of(dump)
    assert text_of(dump).endswith(f"\n{END_OF_AWAITS}\n\n")


async def test_what_goes_wrong_there_is_not_raised_into_the_job(
    dump: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise ValueError("a mistake of ours")

    idle = SimpleNamespace(f_code=SimpleNamespace(co_filename=selectors.__file__))
    monkeypatch.setattr(awaits_module, "write_awaiting", fail)
    write_awaiting_when_idle(idle, dump)
    assert END_OF_AWAITS in text_of(dump)
    write_awaiting_when_idle(idle, 10_000)  # the block has closed it


def stand(over: threading.Event) -> None:
    over.wait()


def test_threads_at_work_are_told_by_name_and_neither_this_one_nor_those_that_wait_for_work(
    dump: int,
) -> None:
    over, standing = threading.Event(), []
    with ThreadPoolExecutor(1, thread_name_prefix="idle-pool") as pool:
        pool.submit(lambda: None).result()
        for number in range(22):
            standing.append(threading.Thread(target=stand, args=(over,), name=f"at-work-{number}"))
            standing[-1].start()
        try:
            write_threads(dump)
        finally:
            over.set()
            for thread in standing:
                thread.join()
    text = text_of(dump)
    assert text.count("Thread at-work-") + text.count("Thread idle-pool") <= 20
    assert text.count(" in stand") >= 19
    assert "Thread MainThread" not in text
