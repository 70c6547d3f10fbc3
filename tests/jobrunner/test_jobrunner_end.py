"""A job whose loop is empty ends its process when its outcome is sent; all else ends by `asyncio.run`."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import pytest

from jobrunner import job as job_module
from jobrunner.channel import Channel
from jobrunner.protocol.frames import receive_frame
from jobrunner.protocol.messages import Begin, Order, Outcome, from_child

# Python 3.12 and newer warn of a fork where there are threads, such as those of whoever spreads tests over processes.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

ORDER = Order(
    job_id="1", block_id="lab/nowhere:1.0.0", job_type="execute", run_on="global",
    job_directory=os.sep, log_level=50, result_cap_bytes=1000,
)  # fmt: skip


def is_empty_with(leave: Callable[[asyncio.AbstractEventLoop], Any]) -> bool:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        kept = leave(loop)
        if asyncio.iscoroutine(kept):
            kept = await kept
        return job_module._is_empty(loop)

    return asyncio.run(main())


def cancelled_timer(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_later(600, print).cancel()


async def finished_task() -> None:
    await asyncio.create_task(asyncio.sleep(0))


@pytest.mark.parametrize("leave", [lambda _: None, cancelled_timer, lambda _: finished_task()])
def test_a_loop_on_which_nothing_is_left_is_empty(leave: Any) -> None:
    assert is_empty_with(leave)


async def numbers() -> AsyncIterator[int]:
    yield 1
    yield 2


async def begun_generator() -> AsyncIterator[int]:
    generator = numbers()
    await anext(generator)
    return generator


@pytest.mark.parametrize(
    "leave",
    [
        lambda loop: loop.call_soon(int),
        lambda loop: loop.call_later(600, int),
        lambda loop: loop.create_task(asyncio.sleep(600)),
        lambda _: begun_generator(),
    ],
    ids=["callback", "timer", "task", "generator"],
)
def test_a_loop_on_which_something_is_left_is_not_empty(leave: Any) -> None:
    assert not is_empty_with(leave)


def test_a_loop_that_waits_for_a_descriptor_is_not_empty() -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        assert not is_empty_with(lambda loop: loop.add_reader(ours, int))


class AnotherLoop(asyncio.SelectorEventLoop):
    """Of which nobody knows what its end does."""


def test_a_loop_of_another_kind_and_one_without_the_names_of_today_are_not_known_to_be_empty() -> None:
    loop = AnotherLoop()
    with closing(loop):
        assert not job_module._is_empty(loop)
    known = asyncio.SelectorEventLoop()
    with closing(known):
        del known._asyncgens  # type: ignore[attr-defined]
        assert not job_module._is_empty(known)


@pytest.mark.parametrize(
    ("leaves", "ends"),
    [("nothing", ["the process"]), ("a task", ["its clean-up", "asyncio.run", "the process"])],
)
def test_the_process_ends_where_nothing_is_left_and_else_the_loop_is_ended_first(
    tmp_path: Path, leaves: str, ends: list[str]
) -> None:
    theirs, ours = socket.socketpair()
    theirs.sendall(Begin(deadline=0.0).pack(b"{}"))
    said = tmp_path / "said"

    def say(what: str) -> None:
        with said.open("a") as file:
            file.write(f"{what}\n")

    def end() -> NoReturn:
        say("the process")
        os._exit(0)

    async def left() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            say("its clean-up")

    async def until_cancelled(*_: object) -> Any:
        if leaves == "a task":
            job_module._kept.append(asyncio.create_task(left()))
            await asyncio.sleep(0)
        return job_module.failed("it is over")

    if (pid := os.fork()) == 0:
        try:
            job_module._run_until_cancelled = until_cancelled  # type: ignore[assignment]  # of this fork only
            job_module.end_at_once(end)
            job_module.run_order(Channel(ours.detach()), ORDER)
            say("asyncio.run")
            end()
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    with closing(theirs), closing(ours):
        assert (status, said.read_text().splitlines()) == (0, ends)
        outcome = from_child(receive_frame(theirs, 10**6))
    assert isinstance(outcome, Outcome)
    assert outcome.message == "it is over"
