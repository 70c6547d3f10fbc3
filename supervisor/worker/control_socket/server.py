"""Answers clients of the control socket: each within its time, and without harm to the worker."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, Final

from supervisor.errors import SupervisorError
from supervisor.log.event import tell
from supervisor.log.events.control import ControlFailed
from supervisor.process.closing import close_beside_the_loop
from supervisor.process.tasks import Tasks, done_before
from supervisor.worker.control_socket.peers import Admit, RefusedError
from supervisor.worker.control_socket.protocol import (
    ADMITTED,
    REQUEST_CAP_BYTES,
    ControlError,
    JsonObject,
    Peer,
    Request,
    error_line,
    read_request,
    reply_line,
)
from supervisor.worker.control_socket.refusals import Refusals
from supervisor.worker.control_socket.secret import Secret

_log = logging.getLogger(__name__)

MOST_CONNECTIONS: Final = 128
KEPT_FOR_OWNER: Final = 16
"""How many of them are only for root and the worker's own user: members of the group can't take these."""
REQUEST_SECONDS: Final = 5.0
"""How long a client has for its request. It is a program, which need not think."""
SEND_SECONDS: Final = 10.0
"""How long it has to read each line of the answer, when the socket's buffer is full."""
ROUND_SECONDS: Final = 0.002
"""How long it looks at connections, one after the other, before the loop does other work."""
REST_FACTOR: Final = 9
"""After refusals, it looks at no connection for so many times their duration. So clients that try again and again get
a tenth of the worker's time, and a client behind hundreds of them still has its turn within a second."""
SHORTAGE_PAUSE_SECONDS: Final = 0.02
"""How long it looks at no connection after it could accept none, for example because no descriptor was left."""
_READ_BYTES: Final = 16 * 1024

Answer = Coroutine[Any, Any, JsonObject] | AsyncIterator[JsonObject]
Handler = Callable[[Request], Answer]
"""Answers a command: one answer, or a stream of them. Raises `ControlError` to refuse."""


class ControlServer:
    """Accepts connections of a listening socket until `close`. A handler is cancelled when its client leaves."""

    def __init__(
        self, listener: socket.socket, secret: Secret, admit: Admit, handlers: Mapping[str, Handler]
    ) -> None:
        self._listener = listener
        self._secret = secret
        self._admit = admit
        self._handlers = handlers
        self._tasks = Tasks()
        self._refusals = Refusals()
        self._resume: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Accept connections from now on."""
        asyncio.get_running_loop().add_reader(self._listener.fileno(), self._accept)

    async def close(self) -> None:
        """Accept no more, and end every conversation. The socket stays open: its owner closes it."""
        if self._resume is not None:
            self._resume.cancel()
        asyncio.get_running_loop().remove_reader(self._listener.fileno())
        await self._tasks.close()
        self._refusals.tell_rest()

    def _accept(self) -> None:
        """Look at all waiting clients, for a limited time: refused ones must not keep the queue full for others."""
        began = time.monotonic()
        has_refused = False
        while (now := time.monotonic()) < began + ROUND_SECONDS:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                break
            except OSError:  # the client is gone already, or no descriptor is left for it
                self._pause(SHORTAGE_PAUSE_SECONDS)
                return
            has_refused = not self._let_in(connection) or has_refused
        if has_refused:
            self._pause((now - began) * REST_FACTOR)

    def _let_in(self, connection: socket.socket) -> bool:
        """Return whether this client may ask at all. If so, begin a conversation with it, if there is room."""
        connection.setblocking(False)
        try:
            peer = self._admit(connection)
        except RefusedError as error:
            close_beside_the_loop(connection.detach())  # together with what it has already sent
            self._refusals.tell(error)
            return False
        most = MOST_CONNECTIONS if peer.uid in (0, os.geteuid()) else MOST_CONNECTIONS - KEPT_FOR_OWNER
        if len(self._tasks) >= most:
            full = ControlError("busy", f"{most} others ask this worker already. Try again later.")
            with contextlib.suppress(OSError):
                connection.send(error_line(full))
            connection.close()
            return True
        self._tasks.start(self._converse(connection, peer), "conversation over the control socket")
        return True

    def _pause(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener.fileno())
        self._resume = loop.call_later(seconds, self.begin)

    async def _converse(self, connection: socket.socket, peer: Peer) -> None:
        with connection, contextlib.suppress(OSError, TimeoutError):
            request = await self._request(connection, peer)
            if request is not None:
                # Only as long as the client is there: it sends nothing more, so readable data means its end.
                left = asyncio.get_running_loop().sock_recv(connection, 1)
                await done_before(self._answer(connection, request), left)

    async def _request(self, connection: socket.socket, peer: Peer) -> Request | None:
        async with asyncio.timeout(REQUEST_SECONDS):
            line = await _line_from(connection)
        found = read_request(line) if line is not None else None
        if found is None or not self._secret.is_known_to(found[0]):
            self._refusals.tell(RefusedError(peer.pid, peer.uid, "it does not know the secret"))
            return None
        await _send(connection, ADMITTED)
        return Request(found[1], found[2], peer)

    async def _answer(self, connection: socket.socket, request: Request) -> None:
        handler = self._handlers.get(request.command, _unknown)
        try:
            answer = handler(request)
            if isinstance(answer, AsyncIterator):
                async for data in answer:
                    await _send(connection, reply_line(data))
            else:
                await _send(connection, reply_line(await answer))
        except ControlError as error:
            await _send(connection, error_line(error))
        except SupervisorError as error:
            await _send(connection, error_line(ControlError("failed", str(error))))
        except (OSError, TimeoutError):
            raise  # the client does not read, or is gone
        except Exception as error:
            tell(_log, ControlFailed(command=request.command), error=error)
            bug = ControlError("worker_error", "A bug in this worker: its log has the traceback.")
            await _send(connection, error_line(bug))


async def _unknown(request: Request) -> JsonObject:
    raise ControlError("unknown_command", f"This worker does not know the command {request.command!r}.")


async def _line_from(connection: socket.socket) -> bytes | None:
    """Return the first line, `None` if it does not end, or is longer than any request.

    Raises `ConnectionError` if the client leaves without a byte: it has asked nothing, and only checked whether a
    worker listens.
    """
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) <= REQUEST_CAP_BYTES:
        part = await loop.sock_recv(connection, _READ_BYTES)
        if not part:
            if not received:
                raise ConnectionAbortedError
            return None
        received += part
        if b"\n" in part:
            return received.partition(b"\n")[0]
    return None


async def _send(connection: socket.socket, line: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await asyncio.get_running_loop().sock_sendall(connection, line)
