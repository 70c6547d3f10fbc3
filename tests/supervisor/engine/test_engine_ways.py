"""Both ways to the engine, against servers that answer as some do: what is sent, and what becomes of each answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from supervisor.engine.http import Answer, EngineAccess, EngineHttp
from supervisor.errors import EngineError

pytestmark = pytest.mark.usefixtures("way")

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


@dataclass
class Server:
    """Answers the requests of all connections with `answers`, one after the other; the last one stays.

    An empty answer closes the connection instead, once the request is there.
    """

    answers: list[bytes]
    url: str = ""
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
                body = await reader.readexactly(int(lengths[0].split(":")[1])) if lengths else b""
                self.requests.append(head + body.decode())
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not answer:
                    return
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer or (b"Length" not in answer and b"chunked" not in answer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.closed.set()


@asynccontextmanager
async def serving(
    *answers: bytes, host: str = "127.0.0.1", seconds: float = 20.0
) -> AsyncIterator[tuple[Server, EngineHttp]]:
    server = Server(list(answers))
    listening = await asyncio.start_server(server.serve, host, 0, limit=2**20)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    http = EngineHttp(EngineAccess(server.url, request_seconds=seconds))
    try:
        yield server, http
    finally:
        await http.close()
        for writer in server.writers:
            writer.close()
        listening.close()
        await listening.wait_closed()


async def refusal(asking: Awaitable[Answer]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await asking
    assert caught.value.__cause__ is None
    return caught.value


async def test_requests_follow_each_other_over_one_connection_and_say_what_they_want() -> None:
    async with serving(GOOD) as (server, http):
        await http.post("/a", "a request", {"x": "é"})
        await http.post("/b", "a request")
        await http.get("/c?d=e", "a request")
    first, second, third = server.requests
    assert server.connections == 1
    assert first.startswith("POST /a HTTP/1.1\r\n")
    assert first.endswith('\r\n\r\n{"x": "\\u00e9"}')
    for line in (
        f"Host: {server.url[7:]}",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "Content-Length: 15",
    ):
        assert f"\r\n{line}\r\n" in first
    assert "\r\nContent-Length: 0\r\n" in second
    assert third.startswith("GET /c?d=e HTTP/1.1\r\n")
    assert "authorization" not in "".join(server.requests).lower()


async def test_the_token_and_the_path_of_the_address_go_with_each_request(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("swordfish")
    async with serving(GOOD) as (server, _):
        behind = EngineHttp(EngineAccess(f"{server.url}/engine/v1/", token_file=token))
        await behind.post("/a", "a request")
        await behind.close()
    assert server.requests[0].startswith("POST /engine/v1/a HTTP/1.1\r\n")
    assert "\r\nAuthorization: Bearer swordfish\r\n" in server.requests[0]


async def test_a_user_in_the_address_beside_a_token_is_no_answer_and_no_other_error(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("swordfish")
    async with serving(GOOD) as (server, _):
        url = server.url.replace("//", "//me:Trellis-Wagon-1842@")
        both = EngineHttp(EngineAccess(url, token_file=token))
        try:
            error = await refusal(both.get("/a", "a request"))
        finally:
            await both.close()
    assert str(error).startswith("No answer from the engine to a request: ")
    assert not [secret for secret in ("swordfish", "Trellis") if secret in str(error)]
    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n[]",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
        GOOD.replace(b"\r\n\r", b"\r\nConnection: close\r\n\r"),
        GOOD.replace(b"\r\n\r", b"\r\nSet-Cookie: a=b\r\n\r"),
    ],
    ids=["chunked", "until the end", "1.0", "continue", "close", "cookie"],
)
async def test_an_answer_is_the_same_however_its_end_is_told(answer: bytes) -> None:
    async with serving(answer) as (server, http):
        for _ in range(2):
            assert (await http.post("/a", "a request")).json("a request") == []
    assert "cookie" not in "".join(server.requests).lower()


async def test_an_engine_with_an_address_of_the_sixth_version_is_reached() -> None:
    async with serving(GOOD, host="::1") as (server, http):
        await http.get("/a", "a request")
    assert f"\r\nHost: {server.url[7:]}\r\n" in server.requests[0]


async def test_a_name_is_looked_up() -> None:
    async with serving(GOOD) as (server, _):
        http = EngineHttp(EngineAccess(server.url.replace("127.0.0.1", "localhost")))
        assert (await http.get("/a", "a request")).status == 200
        await http.close()


async def test_a_request_that_may_have_claimed_is_not_sent_again_when_the_connection_ends() -> None:
    async with serving(GOOD, b"", GOOD) as (server, http):
        await http.post("/a", "a request")
        error = await refusal(http.post("/a", "the poll"))
    assert error.status is None
    assert error.retryable
    assert not error.timed_out
    assert len(server.requests) == 2


async def test_one_that_only_reads_is() -> None:
    async with serving(GOOD, b"", GOOD) as (server, http):
        await http.get("/a", "a request")
        assert (await http.get("/a", "a request")).status == 200
    assert len(server.requests) == 3


async def test_a_connection_that_the_engine_has_ended_between_two_requests_is_noticed() -> None:
    async with serving(GOOD) as (server, http):
        await http.post("/a", "a request")
        server.writers[0].close()
        await server.closed.wait()
        await asyncio.sleep(0.05)
        assert (await http.post("/a", "a request")).status == 200
    assert server.connections == 2


async def test_a_fresh_request_has_a_connection_of_its_own() -> None:
    async with serving(GOOD) as (server, http):
        for fresh in (False, True, True, False):
            await http.post("/a", "a request", fresh=fresh)
    assert server.connections == 3


async def test_requests_at_one_time_do_not_wait_for_each_other() -> None:
    async with serving(GOOD) as (server, http):
        done = await asyncio.gather(*(http.post("/a", "a request") for _ in range(20)))
    assert [answer.status for answer in done] == [200] * 20
    assert len(server.requests) == 20


@pytest.mark.usefixtures("steady_clock")
async def test_where_nothing_comes_in_time_there_is_no_answer_and_the_next_request_has_its_own() -> None:
    async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", GOOD) as (_, http):
        error = await refusal(http.post("/a", "a request", seconds=0.2))
        assert error.timed_out
        assert "none within 0.2 s" in str(error)
        assert (await http.post("/a", "a request")).body == b"[]"


async def test_what_follows_an_answer_is_not_taken_for_the_next_one() -> None:
    async with serving(GOOD + GOOD.replace(b"[]", b"{}")) as (_, http):
        for _ in range(3):
            assert (await http.post("/a", "a request")).body == b"[]"


@pytest.mark.parametrize("framing", [b"Content-Length: 9000000\r\n\r\n", b"\r\n"])
async def test_of_an_answer_that_is_too_large_the_beginning_is_returned_or_it_is_none(framing: bytes) -> None:
    async with serving(b"HTTP/1.1 200 OK\r\n" + framing + b"x" * 9_000_000) as (_, http):
        answer = await http.post("/a", "the poll", cap_bytes=5_000_000)
        assert (len(answer.body), answer.complete) == (5_000_000, False)
        assert "more than 4194304 bytes" in str(await refusal(http.post("/a", "a request")))


async def test_an_answer_that_is_asked_for_whole_is_whole_or_an_error_that_stays() -> None:
    async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000) as (_, http):
        assert len((await http.get("/a", "a job", cap_bytes=9_000_000)).body) == 9_000_000
        error = await refusal(http.get("/a", "a job", cap_bytes=8_999_999))
    assert "The engine's answer to a job has more than 8999999 bytes" in str(error)
    assert not error.retryable


async def test_a_large_request_and_a_large_answer_arrive_whole() -> None:
    body = b"[" + b"1," * 500_000 + b"1]"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    async with serving(answer) as (server, http):
        assert (await http.post("/a", "the poll", text=body, cap_bytes=2**24)).body == body
        assert server.requests[0].endswith(body.decode())


async def test_a_redirect_is_not_followed() -> None:
    async with serving(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n") as (
        server,
        http,
    ):
        assert (await refusal(http.post("/a", "a request"))).status == 302
    assert len(server.requests) == 1


async def test_a_pause_that_is_asked_for_is_read() -> None:
    async with serving(b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n") as (_, http):
        error = await refusal(http.post("/a", "a request"))
    assert (error.status, error.retry_after_seconds) == (503, 7.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        lambda: b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        lambda: b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
        lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http_is_no_answer(make: Callable[[], bytes]) -> None:
    async with serving(make()) as (_, http):
        error = await refusal(http.post("/a", "a request"))
    assert error.status is None
    assert "No answer from the engine to a request" in str(error)


async def test_nobody_there_is_said_with_the_address() -> None:
    http = EngineHttp(EngineAccess("http://127.0.0.1:9"))
    assert "can't connect to 127.0.0.1:9: Connection refused" in str(
        await refusal(http.get("/a", "a request"))
    )
    await http.close()
    http = EngineHttp(EngineAccess("http://engine.invalid"))
    assert "can't connect to engine.invalid:80: " in str(await refusal(http.get("/a", "a request")))
    await http.close()


@pytest.mark.parametrize("host", ["engine..corp", "a" * 64 + ".corp"])
async def test_an_address_without_a_name_of_a_host_is_no_answer_and_no_other_error(host: str) -> None:
    http = EngineHttp(EngineAccess(f"http://{host}:3030"))
    assert "no name of a host" in str(await refusal(http.get("/a", "a request")))
    await http.close()


async def test_a_request_that_is_cancelled_leaves_no_half_answer_behind() -> None:
    async with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", GOOD) as (server, http):
        asking = asyncio.create_task(http.post("/a", "a request"))
        while not server.requests:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await http.post("/a", "a request")).body == b"[]"
