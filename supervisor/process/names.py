"""Looks up addresses of names in its own thread: a name server that does not answer holds up only look-ups."""

import asyncio
import socket
from functools import partial
from typing import Any, Final

from supervisor.process.disk_thread import DiskThread
from supervisor.process.threads import END_SECONDS

KEPT_SECONDS: Final = 10.0
"""How long an answer is reused. A connection that is retried each second needs no look-up each second."""

Addresses = list[tuple[Any, Any, int, str, Any]]
"""As `socket.getaddrinfo` returns them."""

Question = tuple[bytes | str | None, bytes | str | int | None, int, int, int, int]
"""Host, port, family, type, protocol and flags, as `socket.getaddrinfo` takes them."""


class Names:
    """Looks up one name after the other, each once for all who ask meanwhile. Answers are kept, failures are not.

    The resolver takes no time limit and can't be interrupted (getaddrinfo(3)). If no name server answers, it waits for
    many seconds. Each caller waits with its own limit, and nobody waits for the thread.
    Raises `StartRefusedError` if the thread can't be started.
    """

    def __init__(self) -> None:
        self._thread = DiskThread("names")
        self._asked: dict[Question, asyncio.Future[Addresses]] = {}

    async def look_up(self, question: Question) -> Addresses:
        """Return the addresses. Raises `OSError`, and `UnicodeError` if it is not a host name.

        After a cancellation, the look-up goes on for the next caller.
        """
        looking = self._asked.get(question)
        if looking is None:
            looking = self._asked[question] = self._thread.submit(socket.getaddrinfo, *question)
            looking.add_done_callback(partial(self._keep, question))
        return list(await asyncio.shield(looking))

    def _keep(self, question: Question, looking: "asyncio.Future[Addresses]") -> None:
        if looking.exception() is not None:
            del self._asked[question]
        else:
            looking.get_loop().call_later(KEPT_SECONDS, self._asked.pop, question)

    async def close(self) -> None:
        """End the thread. It does not wait for a running look-up."""
        idle = all(looking.done() for looking in self._asked.values())
        await self._thread.close(END_SECONDS if idle else 0.0)
