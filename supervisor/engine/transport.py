"""Requests to the engine and its answers, for each way they travel. Plain data."""

from dataclasses import dataclass
from typing import Final, Protocol

from supervisor.engine.arrival import Arrival
from supervisor.errors import SupervisorError
from supervisor.process.time_limit import TimeLimit, time_limit

BODY_CAP_BYTES: Final = 4 * 2**20
"""The cap of every answer without its own cap. Parsing so much takes about 40 milliseconds of the loop."""

SLOWEST_BYTES_PER_SECOND: Final = 64 * 1024
"""What a large result is sent with at least: on a line of 2 Mbit/s, four results at a time."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request and how to send it: see `EngineHttp.post`. `path` begins with a slash."""

    method: str
    path: str
    what: str
    seconds: float
    data: bytes | None = None
    cap_bytes: int | None = None
    fresh: bool = False
    arrival: Arrival | None = None
    """What puts its time-out off while parts of the answer come."""

    def time_out(self) -> TimeLimit:
        """Return its time-out, to be entered as it is sent."""
        return time_limit(self.seconds) if self.arrival is None else self.arrival.time_out(self.seconds)

    def part_came(self) -> None:
        """Note that a part of the answer has come."""
        if self.arrival is not None:
            self.arrival.part_came()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status, with the two headers that matter here."""

    status: int
    body: bytes
    complete: bool
    """Whether this is the whole answer: the worker stops reading at the cap."""
    retry_after: str | None = None
    date: str | None = None


class NoReplyError(SupervisorError):
    """There is no answer, or one that can't be read. The text may repeat what came: mask it."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


class Transport(Protocol):
    """A way to the engine. Needs a running loop when created; close it at the end."""

    async def send(self, request: Request, token: str | None) -> Reply:
        """Send a request. One that may change something is sent at most once. Raises `NoReplyError`.

        When cancelled, the engine may still carry the request out.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def seconds_to_send(size_bytes: int) -> float:
    """Return how long so much may take on its way to the engine, on a slow line."""
    return size_bytes / SLOWEST_BYTES_PER_SECOND


def too_large() -> NoReplyError:
    """Return the error for an answer that is larger than any expected one."""
    return NoReplyError(f"an answer of more than {BODY_CAP_BYTES} bytes")
