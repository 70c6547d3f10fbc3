"""A large answer to a poll on a slow line: while parts of it come, its time-out counts the silence."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from supervisor.engine.api import EngineApi
from supervisor.engine.arrival import Arrival
from supervisor.engine.http import EngineAccess
from supervisor.errors import EngineError
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.usefixtures("way", "steady_clock")

SILENCE_SECONDS = 0.8
PAUSE_SECONDS = 0.05
JOB = {
    "jobId": "j-1",
    "functionBlockId": "acme/echo:1.0.0",
    "type": "execute",
    "runOn": "global",
    "parameters": {"text": "x" * 1000},
    "context": {},
}
ENDLESS = 10**9


@asynccontextmanager
async def slow_engine(*, parts: int = ENDLESS, silence_after: int = ENDLESS) -> AsyncIterator[EngineApi]:
    """An engine that sends its answer byte by byte for so many parts, and then the rest at once."""
    body = json.dumps([JOB]).encode()
    size = len(body) if parts < ENDLESS else ENDLESS
    served: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size)
        sent = 0
        while sent < parts and not (writer.is_closing() or reader.at_eof()):
            if sent < silence_after:
                writer.write(body[sent : sent + 1] if parts < ENDLESS else b" ")
            sent += 1
            await asyncio.sleep(PAUSE_SECONDS)
        writer.write(body[sent:])
        writer.close()
        served.remove(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    api = EngineApi(EngineAccess(url, poll_seconds=SILENCE_SECONDS))
    async with server:
        try:
            yield api
        finally:
            await api.close()
            await until(lambda: not served, "the engine has seen the end of each connection")


async def failure(asking: Awaitable[object]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asking
    assert caught.value.timed_out
    assert caught.value.status is None
    return caught.value


async def test_an_answer_that_takes_longer_than_its_time_out_arrives() -> None:
    async with slow_engine(parts=int(2 * SILENCE_SECONDS / PAUSE_SECONDS)) as api:
        poll = await api.poll("w-1", [], 1, Arrival())
        assert [job.job_id for job in poll.jobs] == ["j-1"]
        assert poll.complete


async def test_one_that_breaks_off_is_given_up_as_soon_as_one_that_never_came() -> None:
    async with slow_engine(silence_after=20) as api:
        error = await failure(api.poll("w-1", [], 1, Arrival()))
        assert f"nothing more of it came for {SILENCE_SECONDS:g} s" in str(error)


async def test_one_without_an_end_is_given_up_with_the_setting_that_makes_answers_smaller() -> None:
    async with slow_engine() as api:
        arrival = Arrival(longest_seconds=2 * SILENCE_SECONDS)
        error = await failure(api.poll("w-1", [], 1, arrival))
        assert f"it was still coming after {2 * SILENCE_SECONDS:g} s" in str(error)
        assert "--max-concurrent-jobs" in str(error)


async def test_a_worker_that_stops_waits_for_it_no_longer_than_for_any_other_answer() -> None:
    async with slow_engine() as api:
        arrival = Arrival()
        asking = asyncio.ensure_future(api.poll("w-1", [], 1, arrival))
        await asyncio.wait((asking,), timeout=2 * SILENCE_SECONDS)
        assert not asking.done()
        arrival.hurry()
        assert "it was still coming when the worker stopped" in str(await failure(asking))
