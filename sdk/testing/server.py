"""The tests' side of the process that runs blocks."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from sdk.testing.child_coverage import ChildCoverage
from sdk.testing.connection import Connection
from sdk.testing.errors import HarnessError


@dataclass(slots=True)
class Ticket:
    """One request on its way."""

    id: int
    sent: bool = False
    given_up: bool = False


class ServerProcess:
    """A block server. The first request starts it, and `close` ends it. It serves one request at a time.

    It is a separate process (`supervisor.commands.blockserver`), so this process neither forks nor adopts what blocks
    leave behind. Several threads may use it. It has no thread itself: with a thread that lives as long as the tests,
    each fork in the tests would cause a warning (Python 3.12 on).
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._one_request = threading.Lock()
        self._one_write = threading.Lock()
        self._connection: Connection | None = None
        self._coverage = ChildCoverage()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process that was started, None if there is none."""
        return self._connection.pid if self._connection is not None else None

    def ticket(self) -> Ticket:
        """Return the number for a new request. With this number, the request can be given up."""
        return Ticket(next(self._numbers))

    def ask(self, ticket: Ticket, request: dict[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """Send `request` and return the answer to it. Raises `HarnessError`.

        If anything ends the wait early (a timeout of pytest, a Ctrl-C), the job ends, too.
        """
        with self._one_request:
            connection = self._running()
            try:
                self._send(connection, ticket, request)
                return _answer_to(connection, ticket, time.monotonic() + timeout_seconds)
            except TimeoutError:
                # A server that does not answer now is out of step. The next request starts a new one.
                connection.kill()
                self.close()
                raise HarnessError(
                    "The block server did not answer in time and was ended.", kind="timeout"
                ) from None
            except (EOFError, OSError):
                raise HarnessError(
                    f"The block server has ended: {connection.last_words()}", kind="server_ended"
                ) from None
            except BaseException:
                self.give_up(ticket)
                raise

    def give_up(self, ticket: Ticket) -> None:
        """End the job of a request, or don't begin it. Harmless if it has ended."""
        with self._one_write:
            ticket.given_up = True
            if ticket.sent and self._connection is not None:
                with contextlib.suppress(OSError):
                    self._connection.send({"request": "stop", "id": ticket.id})

    def _running(self) -> Connection:
        if self._connection is not None and (not self._connection.is_mine or self._connection.has_ended):
            self.close()
        if self._connection is None:
            self._connection = Connection(self._coverage.environment())
        return self._connection

    def _send(self, connection: Connection, ticket: Ticket, request: dict[str, Any]) -> None:
        with self._one_write:
            if ticket.given_up:
                raise HarnessError("It was given up before its turn came.", kind="stopped")
            ticket.sent = True
            connection.send({"request": "run", "id": ticket.id, **request})

    def close(self) -> None:
        """End the server and wait for its end. The server ends and clears away what it runs. May be called again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            if connection.is_mine:
                self._coverage.collect()


def _answer_to(connection: Connection, ticket: Ticket, deadline: float) -> dict[str, Any]:
    while True:
        answer = connection.receive(deadline)
        # Other messages are late answers to requests that were given up.
        if answer.pop("id") == ticket.id:
            return answer
