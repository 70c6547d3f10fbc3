"""Asking a child for its stack."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from supervisor.watch.stack import take_dump


class Child:
    """A child that can't, or does not, answer."""

    def __init__(self) -> None:
        self.dump = os.memfd_create("stack")
        self.dump_start = 0
        self.catches = False

    def may_be_writing_stack(self) -> bool:
        return False

    def ask_for_stack(self, *, of_main: bool = False) -> bool:
        return self.catches


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    os.close(child.dump)


async def test_of_a_child_in_which_nothing_answers_the_stack_is_not_waited_for(child: Child) -> None:
    assert await take_dump(child) == ""


async def test_of_a_child_that_could_answer_the_stack_is_waited_for(child: Child) -> None:
    child.catches = True
    taking = asyncio.create_task(take_dump(child))
    await asyncio.sleep(0)
    os.write(child.dump, b"Thread 0x1 (most recent call first):\n")
    async with asyncio.timeout(30):
        assert await taking == "Thread 0x1 (most recent call first):\n"
