"""Whatever may come instead of the engine's answer, over real HTTP, to every request that the worker sends."""

import asyncio
import gzip
import json
import random
import zlib
from typing import Any, Self
from unittest.mock import patch

from supervisor.engine import EngineAccess, EngineApi
from supervisor.errors import EngineError
from tests.programs.fuzz.fakes import block_entry
from tests.programs.fuzz.fuzzer import Fuzzer
from tests.programs.fuzz.measuring import not_measured
from tests.programs.fuzz.mutating import any_text, any_value, as_json, mutate, nested, some_bytes

_REQUEST_SECONDS = 0.15
_GOOD: dict[str, Any] = {
    "compatible": True, "deprecated": False, "version": "0.43.0-beta.8", "uuid": "0b1c-uuid", "jobs": [],
}  # fmt: skip
_BOMB = gzip.compress(bytes(64 << 20))


class EngineReplies(Fuzzer):
    """A server that answers every request with the bytes of the case, and hangs up, mostly."""

    at_once = 1

    async def __aenter__(self) -> Self:
        self.reply = b""
        self.hangs_up = True
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.started.push_async_callback(server.wait_closed)
        self.started.callback(server.close)
        self.port = server.sockets[0].getsockname()[1]
        access = EngineAccess(f"http://127.0.0.1:{self.port}", _REQUEST_SECONDS, _REQUEST_SECONDS)
        self.api = EngineApi(access)
        with patch("supervisor.engine.http.plain_address", return_value=None):
            self.apis = (self.api, EngineApi(access))
        for api in self.apis:
            self.started.push_async_callback(api.close)
        return self

    async def check(self, rng: random.Random) -> None:
        """See `Fuzzer.check`."""
        with not_measured():
            reply = reply_of(rng)
        await self.check_reply(rng, reply, hangs_up=rng.random() < 0.97)

    async def check_reply(self, rng: random.Random, reply: bytes, *, hangs_up: bool = True) -> None:
        """Send any request, and check that its answer is understood or is an `EngineError`."""
        self.reply, self.hangs_up = reply, hangs_up
        try:
            await self._ask(rng)
        except EngineError as error:
            text, wanted_pause = str(error), error.retry_after_seconds or 0
        else:
            return
        text.encode()
        assert len(text) < 2000, f"a message of {len(text)} characters"
        assert wanted_pause >= 0

    async def _ask(self, rng: random.Random) -> None:
        api, block = rng.choice(self.apis), block_entry()
        match rng.randrange(7):
            case 0:
                reply = await api.check_compatibility()
                assert len(reply.engine_version) < 200
                reply.engine_version.encode()
            case 1:
                uuid = await api.register_worker("1", "name", None)
                uuid.encode()
                assert len(uuid) < 2000
            case 2:
                await api.register_block(block, "uuid")
            case 3:
                assert isinstance(await api.ping("uuid"), bool)
            case 4:
                for job in (await api.poll("uuid", (block,), 3)).jobs:
                    if job.job_id is not None:
                        job.job_id.encode()
            case 5:
                assert isinstance(await api.push_result(b"{}"), bool)
            case _:
                await api.unregister("uuid")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reply = self.reply
        try:
            while (await reader.readuntil(b"\r\n")) != b"\r\n":
                pass
            writer.write(reply)
            await writer.drain()
            if self.hangs_up:
                writer.write_eof()
            await reader.read()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


def reply_of(rng: random.Random) -> bytes:
    """Return the bytes of one reply."""
    body = _body(rng)
    status = rng.choice(
        (b"200 OK", b"201 Created", b"404 Not Found", b"409 Conflict", b"503 No", _status(rng))
    )
    headers = [b"Content-Type: application/json", *(_header(rng) for _ in range(rng.choice((0, 0, 1, 3))))]
    match rng.randrange(12):
        case 0:
            headers.append(
                b"Content-Length: "
                + rng.choice((b"0", b"-1", b"99999999999999999999", b"1e3", b"\xff", b"5, 5"))
            )
        case 1:
            headers.append(b"Transfer-Encoding: chunked")
            body = _chunked(rng, body)
        case 2:
            headers.append(b"Content-Encoding: " + rng.choice((b"gzip", b"deflate", b"br", b"zstd", b"x")))
            body = rng.choice(
                (gzip.compress(body), zlib.compress(body), body, mutate(rng, gzip.compress(body)))
            )
            if rng.random() < 0.02:
                body = _BOMB
        case _:
            headers.append(b"Content-Length: " + str(len(body)).encode())
    head = b"HTTP/1.1 " + status + b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n"
    match rng.randrange(14):
        case 0:
            return some_bytes(rng, 3000)
        case 1:
            return mutate(rng, head) + body
        case 2:
            return b"HTTP/1.1 100 Continue\r\n\r\n" * rng.choice((1, 50)) + head + body
        case 3 if rng.random() < 0.2:
            return head[:-2] + b"X-Y: z\r\n" * 20_000 + b"\r\n" + body
        case 4:
            return (head + body)[: rng.randint(0, len(head) + len(body))]
        case _:
            return head + body


def _status(rng: random.Random) -> bytes:
    return rng.choice(
        (
            b"204 No Content",
            b"301 Moved",
            b"101 Switching Protocols",
            b"999 ?",
            b"1000 ?",
            b"-1 x",
            b"200",
            b"",
            b"x y",
            some_bytes(rng),
        )
    )


def _header(rng: random.Random) -> bytes:
    return rng.choice(
        (
            b"Location: http://127.0.0.1:1/", b"Retry-After: " + rng.choice((b"nan", b"1e999", b"-5", b"soon")),
            b"Set-Cookie: a" + rng.randbytes(8).hex().encode() + b"=" + b"x" * 2000, b"Connection: close",
            b"X: " + b"y" * rng.choice((10, 9000, 100_000)), b"Content-Type: text/html; charset=" + some_bytes(rng),
            b"Trailer: X", b"Upgrade: websocket", some_bytes(rng),
        )
    )  # fmt: skip


def _body(rng: random.Random) -> bytes:
    good: Any = rng.choice((_GOOD, [], [{"jobId": "j"}], None))
    match rng.randrange(6):
        case 0:
            return some_bytes(rng)
        case 1:
            return as_json(rng, any_value(rng))
        case 2:
            return json.dumps(
                _GOOD | {"version": rng.choice(("9" * 5000 + ".1.1", any_text(rng))), "uuid": any_text(rng)}
            ).encode()
        case 3:
            return b"<html>" + some_bytes(rng, 100_000)
        case _:
            return as_json(rng, nested(rng, good))


def _chunked(rng: random.Random, body: bytes) -> bytes:
    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    broken = (
        whole[:-2],
        b"zz\r\n" + body,
        b"ffffffffffffffff\r\n" + body,
        b"-1\r\n" + body,
        b"5;" + b"x" * 9000,
        mutate(rng, whole),
    )
    return whole if rng.random() < 0.4 else rng.choice(broken)
