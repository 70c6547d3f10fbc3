"""One SSH session on one device, for use on the event loop.

netmiko blocks, and its own time-outs are no bounds: on a dead link `read_timeout=5` took 47 s. So each step
runs in a thread under a limit of ours, and limit or cancellation end its work (`AbortableConnection`).
"""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from blocks.ssh import failures
from blocks.ssh.connection import AbortableConnection, Login
from blocks.ssh.failures import DeviceError
from blocks.ssh.tcp import connect_tcp

P = ParamSpec("P")
T = TypeVar("T")

_LOGOUT_SECONDS = 3.0
# After an abort netmiko fails at its next read, and paramiko looks up ten times a second.
_ABORT_SECONDS = 5.0


class Session:
    """Use it as an async context manager: entering logs in, leaving ends the session on every path.

    Host keys are not checked (netmiko's default): the device is whoever answers at the address.

    Args:
        login: where and how.
        login_timeout_seconds: for TCP connection, SSH handshake, password and first prompt together.
    """

    def __init__(self, login: Login, login_timeout_seconds: float) -> None:
        self._where = login.where
        self._login = login
        self._login_timeout_seconds = login_timeout_seconds
        self._connection: AbortableConnection | None = None
        self._stage = "accept a TCP connection"

    async def __aenter__(self) -> Self:
        """Log in.

        Raises:
            DeviceError: the device can't be reached, refuses, or is too slow.
        """
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._cut)
            try:
                async with asyncio.timeout(self._login_timeout_seconds):
                    await self._log_in()
            except TimeoutError:
                raise failures.too_slow(self._where, self._stage, self._login_timeout_seconds) from None
            except DeviceError:
                raise
            except Exception as error:
                raise failures.from_login(self._where, error) from error
            undo.pop_all()
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exception_type is None and self._connection is not None:
                # What a good-bye can't do any more, the cut below does: the results are here.
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(_LOGOUT_SECONDS):
                        await self._in_thread(self._connection, self._connection.log_out)
        finally:
            await self._cut()

    async def send(self, command: str, read_timeout_seconds: float) -> str:
        """Send one command; return its output without echo and prompt.

        After an error the session is of no more use: leave it.

        Raises:
            DeviceError: the output did not end in time, or the device ended the connection.
        """
        connection = self._connection
        assert connection is not None, "a session is entered before it is used"
        try:
            async with asyncio.timeout(read_timeout_seconds):
                return await self._in_thread(connection, connection.send, command, read_timeout_seconds)
        except TimeoutError:
            what = f"finish the command {command!r}"
            raise failures.too_slow(self._where, what, read_timeout_seconds) from None
        except Exception as error:
            raise failures.from_command(self._where, command, read_timeout_seconds, error) from error

    async def _log_in(self) -> None:
        try:
            sock = await connect_tcp(self._login.host, self._login.port)
        except OSError as error:
            raise failures.unreachable(self._where, error) from error
        connection = AbortableConnection(self._login, sock, self._login_timeout_seconds)
        self._connection = connection
        await self._in_thread(connection, connection.open)

    async def _in_thread(
        self, connection: AbortableConnection, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run one blocking step; on cancellation (a limit is one too) abort it and wait for its end."""
        work = asyncio.ensure_future(asyncio.to_thread(step, *args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stage = connection.stage()
            connection.abort()
            await asyncio.wait({work}, timeout=_ABORT_SECONDS)
            # How an aborted step failed is of no interest, but asyncio reports what nobody asks for.
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    async def _cut(self) -> None:
        if self._connection is not None:
            await asyncio.to_thread(self._connection.cut)
