"""A health that is served, with a worker's facts that are the test's; and who asks, from threads of their own."""

import http.client
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from supervisor.settings.health_address import HealthAddress, LoopbackAddress
from supervisor.worker.health.answers import Access, Answer, access_of, answer
from supervisor.worker.health.connections import Connections
from supervisor.worker.health.listener import Listener
from supervisor.worker.health.snapshot import Snapshot
from supervisor.worker.health.web import Web
from tests.patience import PATIENCE_SECONDS

ANY_PORT = LoopbackAddress("127.0.0.1", 0)
TOKEN = "a-token-of-enough-characters"


def ask(
    listener: Listener, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> tuple[int, Any]:
    """Ask, and return status and body. Blocks: to be called in a thread."""
    if listener.path is not None:
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_SECONDS)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(listener.path))  # waits where the queue is full
        connection.sock.settimeout(PATIENCE_SECONDS)
    else:
        host, port = listener.socket.getsockname()[:2]
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        body = response.read()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(body) if is_json and body else body.decode()
    finally:
        connection.close()


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Facts:
    """The worker's side."""

    def __init__(self) -> None:
        self.snapshot = Snapshot(time.monotonic() + 3600, ())  # never old: a test may take its time
        self.metrics: Callable[[], bytes] | None = lambda: b"some_metric 1\n"
        self.token: str | None = TOKEN

    def answer(self, path: str, host: str | None, authorization: str | None) -> Answer:
        access: Access = access_of(authorization, self.token)
        now = time.monotonic()
        has_token = self.token is not None
        return answer(path, access, self.snapshot, now, metrics=self.metrics, has_token=has_token)


@asynccontextmanager
async def served(
    facts: Facts,
    address: HealthAddress | Path = ANY_PORT,
    admit: Callable[[socket.socket], bool] = lambda _: True,
    **limits: Any,
) -> AsyncIterator[Listener]:
    listener = Listener.on(address)
    web = Web(listener, Connections(admit, **limits), facts.answer)
    try:
        yield listener
    finally:
        await web.close()
        listener.close()
