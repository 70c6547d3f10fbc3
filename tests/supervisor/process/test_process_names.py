"""Names that are looked up beside the loop: once for all who ask, and again after a failure or a while."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from supervisor.process import names as names_module
from supervisor.process.names import Names, Question
from tests.patience import until

QUESTION: Question = ("engine.invalid", 80, 0, socket.SOCK_STREAM, 0, 0)
FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


class Resolver:
    """Stands for `socket.getaddrinfo`. Returns what stands in `says`, or raises it; not before `answers` is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers = threading.Event()
        self.answers.set()
        self.says: list[tuple[Any, ...]] | Exception = FOUND

    def __call__(self, *question: Any) -> list[tuple[Any, ...]]:
        self.asked.append(question)
        self.answers.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@contextlib.asynccontextmanager
async def started() -> AsyncIterator[Names]:
    names = Names()
    yield names
    await names.close()


async def test_a_name_is_looked_up_once_for_all_who_ask_and_its_addresses_are_kept(
    resolver: Resolver,
) -> None:
    async with started() as names:
        assert await asyncio.gather(*(names.look_up(QUESTION) for _ in range(20))) == [FOUND] * 20
        assert await names.look_up(QUESTION) == FOUND
    assert resolver.asked == [QUESTION]


async def test_another_question_gets_an_answer_of_its_own(resolver: Resolver) -> None:
    async with started() as names:
        other: Question = ("engine.invalid", 81, 0, socket.SOCK_STREAM, 0, 0)
        await asyncio.gather(names.look_up(QUESTION), names.look_up(other))
    assert resolver.asked == [QUESTION, other]


async def test_a_failure_is_told_to_all_who_ask_and_is_not_kept(resolver: Resolver) -> None:
    async with started() as names:
        resolver.says = socket.gaierror(socket.EAI_AGAIN, "no name server answers")
        found = await asyncio.gather(*(names.look_up(QUESTION) for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in found] == [socket.gaierror] * 3
        resolver.says = FOUND
        assert await names.look_up(QUESTION) == FOUND
    assert len(resolver.asked) == 2


async def test_a_name_whose_addresses_were_kept_for_their_time_is_looked_up_again(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_module, "KEPT_SECONDS", 0.0)
    async with started() as names:
        await names.look_up(QUESTION)
        await until(lambda: not names._asked, "they are kept no longer")
        resolver.says = []
        assert await names.look_up(QUESTION) == []


async def test_who_gives_up_takes_the_answer_from_nobody_else(resolver: Resolver) -> None:
    async with started() as names:
        resolver.answers.clear()
        asking = [asyncio.ensure_future(names.look_up(QUESTION)) for _ in range(2)]
        await until(lambda: resolver.asked, "the name is being looked up")
        asking[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking[0]
        resolver.answers.set()
        assert await asking[1] == FOUND
    assert len(resolver.asked) == 1
