"""A large result on a slow line: it has more time than other requests, and a message says what gives it more still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from supervisor.engine.api import EngineApi
from supervisor.engine.http import EngineAccess
from supervisor.engine.transport import SLOWEST_BYTES_PER_SECOND
from supervisor.errors import EngineError

pytestmark = pytest.mark.usefixtures("way", "steady_clock")

LINE_SECONDS = 0.5
"""How long the engine here takes for each result: longer than a request may take."""


@asynccontextmanager
async def slow_engine() -> AsyncIterator[EngineApi]:
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
        await asyncio.sleep(LINE_SECONDS)
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    api = EngineApi(EngineAccess(url, request_seconds=LINE_SECONDS / 5))
    async with server:
        yield api
        await api.close()
        await asyncio.gather(*filter(None, serving))  # one whose request was given up still waits


async def test_a_result_has_a_second_more_for_each_64_kib() -> None:
    async with slow_engine() as api:
        assert await api.push_result(bytes(10 * SLOWEST_BYTES_PER_SECOND))


async def test_a_result_that_had_too_little_time_names_the_setting_that_gives_it_more() -> None:
    async with slow_engine() as api:
        with pytest.raises(EngineError, match="--request-timeout-seconds") as caught:
            await api.push_result(b"{}")
    assert "none within 0.1 s" in str(caught.value)
    assert caught.value.timed_out
