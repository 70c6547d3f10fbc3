"""A worker that stands still while the engine answers: the answer to a poll is a claim, and is taken all the same."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from supervisor.engine.api import EngineApi
from supervisor.engine.arrival import Arrival
from supervisor.engine.http import EngineAccess
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("way")

LIMIT_SECONDS = 0.5
JOB = {
    "jobId": "j-1",
    "functionBlockId": "acme/echo:1.0.0",
    "type": "execute",
    "runOn": "global",
    "parameters": {"text": "x" * 1000},
    "context": {},
}


@asynccontextmanager
async def engine(asked: threading.Event, *, body: bytes) -> AsyncIterator[str]:
    """An engine that answers one request at once, from a thread: it goes on when the worker's loop stands still."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_SECONDS)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                text = b""
                while b"\r\n\r\n" not in text:
                    text += connection.recv(10_000)
                asked.set()
                time.sleep(LIMIT_SECONDS / 5)
                connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        await asyncio.to_thread(thread.join)


@pytest.mark.parametrize("stands_still_seconds", [1.01 * LIMIT_SECONDS, 4 * LIMIT_SECONDS])
@pytest.mark.parametrize("arrival", [None, Arrival])
async def test_jobs_whose_claim_came_while_the_worker_stood_still_are_taken(
    stands_still_seconds: float, arrival: type[Arrival] | None
) -> None:
    asked = threading.Event()
    async with engine(asked, body=json.dumps([JOB]).encode()) as url:
        api = EngineApi(EngineAccess(url, poll_seconds=LIMIT_SECONDS))
        try:
            polling = asyncio.ensure_future(api.poll("w-1", [], 1, arrival and arrival()))
            await asyncio.to_thread(asked.wait)
            time.sleep(stands_still_seconds)
            assert [job.job_id for job in (await polling).jobs] == ["j-1"]
        finally:
            await api.close()
