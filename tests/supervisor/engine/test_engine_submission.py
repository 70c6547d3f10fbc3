"""What is said of jobs that were submitted to an engine which does not answer."""

import asyncio
import contextlib

import pytest

from supervisor.engine.http import EngineAccess
from supervisor.engine.submission import Submissions
from supervisor.errors import EngineError


@pytest.mark.usefixtures("steady_clock")
@pytest.mark.parametrize(("count", "said"), [(1, "taken it all"), (2, "taken them all")])
async def test_an_engine_that_gives_no_answer_in_time_may_have_taken_the_jobs(count: int, said: str) -> None:
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        closed.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        engine = Submissions(EngineAccess(url, request_seconds=0.2))
        with pytest.raises(EngineError, match="supervisor jobs") as caught:
            await engine.submit_all([{}] * count)
        await engine.close()
        await closed.wait()
    assert said in str(caught.value)


async def test_an_engine_that_is_not_there_has_taken_none() -> None:
    engine = Submissions(EngineAccess("http://127.0.0.1:9"))
    with pytest.raises(EngineError) as caught:
        await engine.submit({})
    await engine.close()
    assert "all the same" not in str(caught.value)
