"""The loop of a command: it needs no further thread to end, and no thread of `asyncio.to_thread` to look up names."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from supervisor.process.names import Addresses, Names
from supervisor.process.threads import END_SECONDS, end_pool


class Loop(asyncio.SelectorEventLoop):
    """Ends the threads that it was given. asyncio would start one more thread for that.

    If a thread finds no memory for its first steps, it dies silently, and `Thread.start` waits for it for ever
    (CPython: `threading.Thread.start` waits for an event that the thread itself sets). Then no signal is handled.
    """

    _given: ThreadPoolExecutor | None = None
    _names: Names | None = None
    """Made at the first look-up: most commands look up no names."""

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002  # its name in asyncio
        proto: int = 0,
        flags: int = 0,
    ) -> Addresses:
        """Return the addresses of a name (see `Names`), for all connections over this loop.

        Raises `OSError`, `UnicodeError`, and `StartRefusedError` if there is no thread for it.
        """
        if self._names is None:
            self._names = Names()
        return await self._names.look_up((host, port, family, type, proto, flags))

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]  # asyncio takes no other
        """Use these threads for `asyncio.to_thread`."""
        super().set_default_executor(executor)
        self._given = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """End the threads that it was given, and wait `END_SECONDS` for that. asyncio ends its own threads itself."""
        if self._names is not None:
            await self._names.close()
        if self._given is None:
            await super().shutdown_default_executor()
        else:
            await end_pool(self._given, END_SECONDS if timeout is None else min(timeout, END_SECONDS))
