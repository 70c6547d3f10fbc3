"""The worker's own secrets are in nothing that it says, whoever repeats them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from supervisor.engine.access_token import AccessToken
from supervisor.engine.http import EngineAccess, EngineHttp
from supervisor.engine.own_secrets import OwnSecrets, passwords_in
from supervisor.errors import EngineError, StartRefusedError
from tests.patience import PATIENCE_SECONDS

TOKEN = "0123456789abcdef-the-token"  # one of a test
NEXT = "fedcba9876543210-the-next-one"


@asynccontextmanager
async def echo(status: bytes) -> AsyncIterator[str]:
    """Answer each request with its own head, as a page."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        page = f"<html>{TOKEN} {NEXT} ".encode() + head
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def token_file(directory: Path, token: str) -> Path:
    path = directory / "token"
    path.touch(mode=0o600)
    path.write_text(token)
    return path


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("status", [b"503 No", b"403 No", b"500 " + TOKEN.encode(), TOKEN.encode()])
async def test_an_answer_that_repeats_the_token_is_told_without_it(tmp_path: Path, status: bytes) -> None:
    async with echo(status) as url:
        http = EngineHttp(EngineAccess(url, token_file=token_file(tmp_path, TOKEN)))
        with pytest.raises(EngineError) as caught:
            await http.get("/", "a request")
        assert TOKEN not in str(caught.value)
        assert caught.value.__cause__ is None, "what it was raised from is logged as well"
        await http.close()


@pytest.mark.usefixtures("way")
async def test_also_a_token_that_was_replaced_meanwhile(tmp_path: Path) -> None:
    async with echo(b"401 No") as url:
        path = token_file(tmp_path, TOKEN)
        http = EngineHttp(EngineAccess(url, token_file=path))
        path.write_text(NEXT)
        with pytest.raises(EngineError) as caught:
            await http.get("/", "a request")
        assert "<html>*** ***" in str(caught.value)
        assert TOKEN not in str(caught.value)
        assert NEXT not in str(caught.value)
        await http.close()


def test_a_token_is_masked_however_many_there_were_before_it() -> None:
    """Some live for five minutes, and a worker for months."""
    secrets = OwnSecrets(TOKEN, "http://user:Trellis-Wagon-1842@engine")
    tokens = [f"{number:04}-{'x' * (number % 50)}-of-the-{number}th-day" for number in range(1000)]
    for before, token in zip([TOKEN, *tokens], tokens, strict=False):
        secrets.learn(token)
        secrets.learn(token)
        said = f"now {token}, before {before}, Trellis-Wagon-1842"
        assert secrets.masked(said) == "now ***, before ***, ***"
    secrets.learn(TOKEN)
    assert secrets.masked(f"again {TOKEN} after {tokens[-1]}") == "again *** after ***"


def test_the_passwords_in_an_address_are_masked_as_they_stand_there_and_as_they_are_sent() -> None:
    url = "http://us%40er:p%40ss-word@proxy:3128"
    assert passwords_in(url) == ["us@er:p@ss-word", "p@ss-word", "p%40ss-word"]
    sent = "dXNAZXI6cEBzcy13b3Jk"
    masked = OwnSecrets(None, url).masked(f"p@ss-word p%40ss-word Basic {sent}")
    assert "ss-word" not in masked
    assert sent not in masked


@pytest.mark.parametrize("url", [None, "", "http://proxy:3128", "http://user@proxy", "http://[broken"])
def test_an_address_without_a_password_has_none(url: str | None) -> None:
    assert passwords_in(url) == []


@pytest.mark.parametrize("what", ["empty", "unreadable", "FIFO", "gone", "two words"])
async def test_a_token_file_that_can_t_be_used_is_named_and_the_token_stays(
    tmp_path: Path, what: str
) -> None:
    path = token_file(tmp_path, TOKEN)
    token = AccessToken(path, "http://engine.example")
    path.unlink()
    if what == "FIFO":
        os.mkfifo(path)
    elif what == "unreadable":
        path.mkdir()
    elif what != "gone":
        path.write_text("" if what == "empty" else "not a token")
    with pytest.raises(StartRefusedError, match=str(path)):
        await asyncio.wait_for(token.renew(TOKEN), PATIENCE_SECONDS)
    assert token.value == TOKEN


async def test_many_refused_requests_read_the_file_once_and_those_before_it_not_at_all(
    tmp_path: Path,
) -> None:
    path = token_file(tmp_path, TOKEN)
    token = AccessToken(path, "http://engine.example")
    assert not await token.renew(TOKEN)
    path.write_text(NEXT)
    assert await asyncio.gather(*(token.renew(TOKEN) for _ in range(10))) == [True] * 10
    path.unlink()
    assert await token.renew(TOKEN), "it was sent before the next one was known"
    assert token.value == NEXT
