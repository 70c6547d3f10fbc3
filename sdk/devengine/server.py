"""The HTTP server of an engine: routes, listening socket, fast stop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from sdk.devengine.errors import ListenError
from sdk.devengine.exchange import run_exchange
from sdk.devengine.handlers import MAX_BODY_BYTES
from sdk.devengine.routes_dev import add_dev_routes
from sdk.devengine.routes_read import add_read_routes
from sdk.devengine.routes_worker import add_worker_routes
from sdk.devengine.service import SERVICE, Service

# Handlers are done within milliseconds, unless a fault delays them. Such delayed ones are cut off.
_STOP_SECONDS = 0.2
_LAST_TURNS = 3

_NO_SUCH_ADDRESS: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""What a kernel without IPv6 says, of the socket or of the address."""
_ANOTHER_ADDRESS: Final = "this machine does not have that address; choose another one, such as 127.0.0.1"
_ANOTHER_PORT: Final = "end the program that uses the port, or choose another one (0 takes a free one)"


class Server:
    """Serves one `Service` on one loopback address."""

    def __init__(self, service: Service) -> None:
        app = web.Application(middlewares=[run_exchange], client_max_size=MAX_BODY_BYTES)
        app[SERVICE] = service
        add_worker_routes(app)
        add_dev_routes(app, test_controls=service.options.test_controls)
        add_read_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
        self._bound: socket.socket | None = None
        self.url = ""

    async def start(self, host: str, port: int, before_listening: Callable[[], None]) -> None:
        """Listen. `before_listening` is called when the port is ours, before any client can connect.

        Raises `ListenError`, and what `before_listening` raises; nothing is left open then.
        """
        await self._runner.setup()
        try:
            try:
                await self._listen(host, port, before_listening)
            except BaseException:
                await self._runner.cleanup()
                raise
        except OSError as error:
            advice = _ANOTHER_ADDRESS if error.errno in _NO_SUCH_ADDRESS else _ANOTHER_PORT
            raise ListenError(f"can't listen on {host} port {port}: {error.strerror}; {advice}") from error
        bound_port = self._runner.addresses[0][1]
        self.url = f"http://[{host}]:{bound_port}" if ":" in host else f"http://{host}:{bound_port}"

    async def _listen(self, host: str, port: int, before_listening: Callable[[], None]) -> None:
        bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            # As asyncio does: connections of a killed engine must not block its port.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
            before_listening()
            await web.SockSite(self._runner, bound).start()
        except BaseException:
            bound.close()
            raise
        self._bound = bound

    async def stop(self) -> None:
        """Close the socket and all connections. Requests that still run are cut off after 0.2 s."""
        bound, self._bound = self._bound, None
        if bound is not None:
            # asyncio refuses a connection that was accepted but not set up when its server closes, and leaves it open.
            asyncio.get_running_loop().remove_reader(bound.fileno())
            for _ in range(_LAST_TURNS):
                await asyncio.sleep(0)
        await self._runner.cleanup()
