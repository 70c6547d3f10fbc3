"""A real proxy between worker and engine: every request goes through it, is recorded, and may meet a fault."""

import asyncio
import contextlib
import json
import re
import socket
import struct
import time
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from tests.faults.fault import Fault, Kind, Plan
from tests.faults.http_message import Message, answer

_ROUTES: Final = {
    "ping": r"/workers/[^/]+/ping",
    "unregister": r"/workers/[^/]+/unregister",
    "register": r"/workers/register",
    "register_block": r"/function-blocks/register",
    "poll": r"/blackboard/job",
    "result": r"/blackboard/job/result",
    "compatibility": r"/version/compatibility",
}
_DRIP_PIECES: Final = 20
_WATCH_SECONDS: Final = 0.05
# The connection closes at once, with a reset instead of an orderly end (socket(7), SO_LINGER).
_RESET: Final = struct.pack("ii", 1, 0)


def route_of(path: str) -> str:
    """Return the name of a route, or "" for one that has none here."""
    return next((name for name, pattern in _ROUTES.items() if re.fullmatch(pattern, path)), "")


@dataclass(slots=True)
class Exchange:
    """One request of the worker. Times are CLOCK_MONOTONIC. Grows while the request is under way."""

    arrived: float
    method: str
    path: str
    route: str
    body: bytes
    fault: Fault | None
    engine_statuses: tuple[int, ...] = ()
    """What the engine answered, once for each time that it got the request."""
    engine_answers: tuple[bytes, ...] = ()
    """The bodies of these answers."""
    answered: float | None = None
    """When the last byte was sent to the worker; `None` when the answer did not go out whole."""
    status: int | None = None
    """The status that was sent to the worker."""
    answer: bytes = b""
    """The body that was sent to the worker."""

    @property
    def engine_status(self) -> int | None:
        """What the engine answered last."""
        return self.engine_statuses[-1] if self.engine_statuses else None


class Proxy:
    """Listens on a loopback port of its own and passes requests on to `engine_port`. An async context manager.

    The engine may come and go: each request gets a connection of its own to it, and is reset when there is none.
    """

    def __init__(self, engine_port: int, plan: Plan) -> None:
        self.plan = plan
        self.exchanges: list[Exchange] = []
        self.lateness: list[tuple[float, float]] = []
        """When this process itself was late, and by how much: what the worker can't be blamed for."""
        self._engine_port = engine_port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._let_go = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**18)
        self._watching = asyncio.create_task(self._watch_this_process())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._watching is not None
        self._server.close()
        self._watching.cancel()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(self._watching, *self._connections, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where the worker is to look for its engine."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def let_go(self) -> None:
        """End every delay and every silence now."""
        self._let_go.set()

    async def _watch_this_process(self) -> None:
        while True:
            due = time.monotonic() + _WATCH_SECONDS
            await asyncio.sleep(_WATCH_SECONDS)
            if (late := time.monotonic() - due) > _WATCH_SECONDS:
                self.lateness.append((time.monotonic(), late))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while (request := await Message.read(reader)) is not None and await self._handle(request, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away; what had happened until then is recorded
        except asyncio.CancelledError:
            pass  # this proxy ends; asyncio would report a cancelled handler as an error
        finally:
            self._connections.discard(task)
            writer.close()

    async def _handle(self, request: Message, writer: asyncio.StreamWriter) -> bool:
        """Carry one request through. Returns whether the connection can be used again."""
        method, path, _ = request.start.split(" ", 2)
        route = route_of(path.partition("?")[0])
        exchange = Exchange(time.monotonic(), method, path, route, request.body, self.plan.next_fault(route))
        self.exchanges.append(exchange)
        fault = exchange.fault or Fault(Kind.DELAY)
        if fault.kind in (Kind.DELAY, Kind.HALF_OPEN):
            await self._wait(fault.seconds)
        reply: Message | None = None
        if fault.kind not in (Kind.RESET_BEFORE, Kind.HALF_OPEN) and (
            fault.kind not in (Kind.STATUS, Kind.BODY) or fault.reaches_engine
        ):
            for _ in range(2 if fault.kind is Kind.DUPLICATE else 1):
                reply = await self._ask_engine(request, exchange)
        return await self._reply(_spoilt(fault, reply), fault, exchange, writer)

    async def _ask_engine(self, request: Message, exchange: Exchange) -> Message | None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._engine_port, limit=2**18)
        except OSError:
            return None
        try:
            # The engine serves its own address only, and each connection is for one request.
            host = f"127.0.0.1:{self._engine_port}"
            writer.write(request.encoded(host=host, connection="close"))
            await writer.drain()
            reply = await Message.read(reader)
        except (OSError, asyncio.IncompleteReadError):
            return None
        finally:
            writer.close()
        if reply is not None:
            exchange.engine_statuses += (reply.status,)
            exchange.engine_answers += (reply.body,)
        return reply

    async def _reply(
        self, reply: Message | None, fault: Fault, exchange: Exchange, writer: asyncio.StreamWriter
    ) -> bool:
        if reply is None or fault.kind in (Kind.RESET_BEFORE, Kind.HALF_OPEN):
            _reset(writer)
            return False
        if fault.kind is Kind.DROP_AFTER:
            return False
        data = reply.encoded(connection="keep-alive")
        if fault.kind is Kind.RESET_AFTER:
            writer.write(data[: -(len(reply.body) // 2 + 1)])
            await writer.drain()
            _reset(writer)
            return False
        exchange.status, exchange.answer = reply.status, reply.body
        pieces = _DRIP_PIECES if fault.kind is Kind.DRIP else 1
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            if pieces > 1:
                await self._wait(fault.seconds / pieces)
        exchange.answered = time.monotonic()
        return True

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._let_go.wait()


def _spoilt(fault: Fault, reply: Message | None) -> Message | None:
    if fault.kind in (Kind.STATUS, Kind.BODY):
        if reply is None:
            # An answer that needs the engine can't be given while it is away.
            return None if fault.reaches_engine else answer(fault.status or 200, fault.headers, fault.body)
        body = fault.body if fault.kind is Kind.BODY else reply.body
        headers = {**reply.headers, **fault.headers}
        return replace(answer(fault.status or reply.status, headers, body), headers=headers)
    if reply is None:
        return None
    if fault.kind is Kind.TRUNCATED:
        return replace(reply, body=reply.body[: len(reply.body) // 2])
    if fault.kind is Kind.HUGE:
        return replace(reply, body=reply.body + b" " * fault.size_bytes)
    if fault.kind is Kind.EXTRA_FIELDS:
        return replace(reply, body=_with_extra_fields(reply.body))
    return reply


def _with_extra_fields(body: bytes) -> bytes:
    def extended(value: Any) -> Any:
        return {**value, "unheardOf": {"deep": [1, None]}, "": 0} if isinstance(value, dict) else value

    try:
        value = json.loads(body)
    except ValueError:  # an empty body, which has no fields
        return body
    return json.dumps(
        [extended(item) for item in value] if isinstance(value, list) else extended(value)
    ).encode()


def _reset(writer: asyncio.StreamWriter) -> None:
    peer: socket.socket = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
