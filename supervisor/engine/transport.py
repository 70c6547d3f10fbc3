"""What is sent to the engine and what comes back, whichever way it goes. Plain data."""

from dataclasses import dataclass
from typing import Final, Protocol

from supervisor.errors import SupervisorError

BODY_CAP_BYTES: Final = 4 * 2**20
"""Of every answer to a request without a cap of its own. To parse so much takes some 40 milliseconds of the loop."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and how: see `EngineHttp.post`. `path` begins with a slash."""

    method: str
    path: str
    what: str
    seconds: float
    data: bytes | None = None
    cap_bytes: int | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status, with the two headers that matter here."""

    status: int
    body: bytes
    complete: bool
    """Whether this is all of it: more than was asked for is not read."""
    retry_after: str | None = None
    date: str | None = None


class NoReplyError(SupervisorError):
    """There is no answer, or none that can be read. The text may repeat what came: to be masked."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


class Transport(Protocol):
    """A way to the engine. Needs a running loop when created; close it at the end."""

    async def send(self, request: Request, token: str | None) -> Reply:
        """Send a request, at most once where it may change something. Raises `NoReplyError`.

        When cancelled, the engine may still carry the request out.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def too_large() -> NoReplyError:
    """Return the error of an answer that is larger than any that is expected."""
    return NoReplyError(f"an answer of more than {BODY_CAP_BYTES} bytes")
