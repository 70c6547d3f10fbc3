"""The way to the engine through a proxy, with a real server that plays the proxy."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from supervisor.engine.http import EngineAccess, EngineHttp
from supervisor.engine.proxy import proxy_for
from supervisor.errors import EngineError

ELSEWHERE = "http://engine.invalid:3030"  # a name that never resolves (RFC 6761): only a proxy can reach it
NOBODY = "http://127.0.0.1:9"  # the discard port: nobody listens
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"


@dataclass
class Listener:
    """A server that answers every request alike and keeps the request's head."""

    port: int = 0
    answer: bytes = ANSWER
    heads: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(self.answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest_asyncio.fixture
async def listener(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listener]:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    listening = Listener()
    server = await asyncio.start_server(listening.serve, "127.0.0.1", 0)
    listening.port = server.sockets[0].getsockname()[1]
    yield listening
    server.close()
    await server.wait_closed()


async def status_of(url: str) -> int:
    http = EngineHttp(EngineAccess(url, request_seconds=5))
    try:
        return (await http.post("/blackboard/job", "the poll", {})).status
    finally:
        await http.close()


@pytest.mark.parametrize("scheme", ["http://", ""], ids=["with a scheme", "without"])
async def test_requests_go_through_the_proxy_that_the_environment_names(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"{scheme}127.0.0.1:{listener.port}")
    assert await status_of(ELSEWHERE) == 201
    assert listener.heads[0].startswith(f"POST {ELSEWHERE}/blackboard/job HTTP/1.1\r\n")


async def test_the_proxy_gets_its_own_credentials(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://worker:proxy-pass@127.0.0.1:{listener.port}")
    assert await status_of(ELSEWHERE) == 201
    expected = base64.b64encode(b"worker:proxy-pass").decode()
    assert f"proxy-authorization: basic {expected.lower()}" in listener.heads[0].lower()


@pytest.mark.parametrize("with_port", [False, True], ids=["host", "host and port"])
async def test_an_engine_in_no_proxy_is_reached_directly(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, with_port: bool
) -> None:
    monkeypatch.setenv("http_proxy", NOBODY)
    monkeypatch.setenv("no_proxy", f"127.0.0.1:{listener.port}" if with_port else "127.0.0.1")
    assert await status_of(f"http://127.0.0.1:{listener.port}") == 201
    assert listener.heads[0].startswith("POST /blackboard/job HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("excepted", "url", "is_reached_directly"),
    [
        ("10.0.0.0/8", "http://10.1.2.3:3030", True),
        ("intern.example, 10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "http://11.1.2.3:3030", False),
        ("10.1.2.3/8", "http://user:10.1.2.3@192.0.2.1:3030", False),
        ("::1", "http://[::1]:3030", True),
        ("[::1]", "http://[::1]:3030", True),
        ("fd00::/8", "http://[fd00:0::5]:3030", True),
        ("fd00::/8", "http://[fe00::5]:3030", False),
        ("::/0", "http://10.1.2.3:3030", False),
        ("10.0.0.0/8", "http://engine:3030", False),
        ("10.0.0.0/99,::g,,10.1.2.3:3031", "http://10.1.2.3:3030", False),
    ],
)
def test_an_engine_in_a_network_of_no_proxy_is_reached_directly(
    excepted: str, url: str, is_reached_directly: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs hold passwords of devices, which a proxy would read."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, NOBODY)
    monkeypatch.setenv("no_proxy", excepted)
    assert proxy_for(url) == (None if is_reached_directly else NOBODY)


async def test_without_a_proxy_the_engine_is_reached_directly(listener: Listener) -> None:
    assert await status_of(f"http://127.0.0.1:{listener.port}") == 201
    assert listener.heads[0].startswith("POST /blackboard/job HTTP/1.1\r\n")


async def test_a_proxy_that_is_away_is_a_failure_without_its_password(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://worker:proxy-pass@127.0.0.1:9")
    with pytest.raises(EngineError) as caught:
        await status_of(ELSEWHERE)
    assert caught.value.retryable
    assert "proxy-pass" not in str(caught.value)
    assert "127.0.0.1:9" in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_password_says_so_whether_or_not_the_engine_speaks_tls(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """With its status, by which the advice is found, and by which it is known that no job was given out."""
    listener.answer = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    monkeypatch.setenv(f"{scheme}_proxy", f"http://worker:proxy-pass@127.0.0.1:{listener.port}")
    with pytest.raises(EngineError) as caught:
        await status_of(f"{scheme}://engine.invalid:3030")
    assert (caught.value.status, caught.value.retryable) == (407, False)
    assert "proxy-pass" not in str(caught.value)
    assert listener.heads[0].split()[0] == ("POST" if scheme == "http" else "CONNECT")


async def test_a_proxy_that_makes_no_connection_is_named_as_what_refuses(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener.answer = b"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    monkeypatch.setenv("https_proxy", f"http://worker:proxy-pass@127.0.0.1:{listener.port}")
    with pytest.raises(EngineError, match="the proxy makes no connection to it: 503 Not now") as caught:
        await status_of("https://engine.invalid:3030")
    assert (caught.value.status, caught.value.retryable) == (None, True)
    assert "proxy-pass" not in str(caught.value)
