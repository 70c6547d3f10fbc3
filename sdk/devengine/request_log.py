"""The requests that the engine received, for tests that check what a worker sends and when."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MAX_REQUESTS = 100_000
MAX_CHARACTERS = 256 * 2**20


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request.

    `monotonic_seconds` (CLOCK_MONOTONIC, the same for the whole machine) and `epoch_seconds` say when it arrived.
    `engine_seconds` is the time until its answer was ready. `route` is the name that faults use, or "" for other
    routes. `status` is None if the connection was closed without an answer.
    """

    monotonic_seconds: float
    epoch_seconds: float
    method: str
    path: str
    route: str
    status: int | None
    engine_seconds: float
    body_text: str = field(repr=False)


class RequestLog:
    """The newest requests, bounded in number and in the size of their bodies."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self._records: deque[RequestRecord] = deque()
        self._characters = 0

    def append(self, record: RequestRecord) -> None:
        """Keep a request; forget the oldest ones when there are too many."""
        self._records.append(record)
        self._characters += len(record.body_text)
        while len(self._records) > MAX_REQUESTS or self._characters > MAX_CHARACTERS:
            self._characters -= len(self._records.popleft().body_text)

    def records(self) -> list[RequestRecord]:
        """Return the kept requests in the order of their answers."""
        return list(self._records)

    def clear(self) -> None:
        """Forget all requests."""
        self._records.clear()
        self._characters = 0
