"""What can go wrong between worker and engine, one value for each thing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final, Protocol


class Kind(StrEnum):
    """What the proxy does to one request."""

    DELAY = "delay"
    """Keep the request for `seconds`, then pass it on."""
    RESET_BEFORE = "reset before"
    """Reset the connection; the engine never hears of the request."""
    DROP_AFTER = "drop after"
    """The engine has handled the request, and its answer is lost: the connection closes without it."""
    RESET_AFTER = "reset after"
    """The same, with a reset in the middle of the answer's body."""
    DRIP = "drip"
    """Send the answer in small pieces over `seconds`."""
    HALF_OPEN = "half-open"
    """Take the request and never answer; after `seconds` the connection is reset. The engine hears nothing."""
    STATUS = "status"
    """Answer with `status` and `headers`; see `reaches_engine`."""
    BODY = "body"
    """Answer with `body` instead of the true one; see `reaches_engine`."""
    TRUNCATED = "truncated"
    """Send the first half of the true body as if it were all."""
    DUPLICATE = "duplicate"
    """Send the request to the engine twice, and pass on the second answer."""
    HUGE = "huge"
    """Put `size_bytes` of blanks behind the true body."""
    EXTRA_FIELDS = "extra fields"
    """Add fields that nobody knows to every object of the answer's top level."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `reaches_engine` says whether the engine handles a request whose answer is replaced."""

    kind: Kind
    seconds: float = 0.0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reaches_engine: bool = False
    size_bytes: int = 0

    def __str__(self) -> str:
        detail = f" {self.status}" if self.status else f" {self.body[:8]!r}" if self.body else ""
        return f"{self.kind}{detail}"


class Plan(Protocol):
    """Decides which fault, if any, the next request to a route meets."""

    def next_fault(self, route: str) -> Fault | None:
        """Return the fault for a request that has just come in, or `None` to pass it on as it is."""
        ...


class InOrder:
    """The given faults, one for each request to `route` (any, if it is ""), then none."""

    def __init__(self, faults: Iterable[Fault], route: str = "") -> None:
        self._faults = list(faults)
        self._route = route

    def next_fault(self, route: str) -> Fault | None:
        """Take the next fault of the list."""
        return self._faults.pop(0) if self._faults and self._route in ("", route) else None


HTML: Final = b"<html><body>Please sign in</body></html>"
BINARY: Final = bytes(range(256))

# Harmless or transient on every route.
_EVERYWHERE: Final = (
    Fault(Kind.DELAY, seconds=0.3),
    Fault(Kind.RESET_BEFORE),
    Fault(Kind.DROP_AFTER),
    Fault(Kind.RESET_AFTER),
    Fault(Kind.DRIP, seconds=0.5),
    Fault(Kind.HALF_OPEN, seconds=1.0),
    Fault(Kind.STATUS, status=500),
    Fault(Kind.STATUS, status=500, reaches_engine=True),
    Fault(Kind.STATUS, status=503, headers={"Retry-After": "1"}),
    Fault(Kind.STATUS, status=302, headers={"Location": "/login"}),
    Fault(Kind.STATUS, status=200, reaches_engine=True),
    Fault(Kind.BODY, status=200, body=HTML),
    Fault(Kind.BODY, body=HTML, reaches_engine=True),
    Fault(Kind.BODY, body=BINARY, reaches_engine=True),
    Fault(Kind.TRUNCATED),
    Fault(Kind.HUGE, size_bytes=4 << 20),
    Fault(Kind.EXTRA_FIELDS),
    Fault(Kind.DUPLICATE),
)
# "I do not know you": the worker asks whether it is so, and registers anew where it is. On a result it would be a
# final refusal, by the contract (W6).
_UNKNOWN_WORKER: Final = Fault(Kind.STATUS, status=404)


CHANCES: Final = {"poll": 0.2, "result": 0.3, "ping": 0.15}
OTHER_CHANCE: Final = 0.05
"""Of the requests of a start, of which each that fails costs a second."""


class Dice:
    """Faults by a seeded generator. `chance` is for every route; without it, `CHANCES`."""

    def __init__(self, seed: int, chance: float | None = None) -> None:
        self._random = Random(f"proxy {seed}")
        self._chance = chance
        self.on = True

    def next_fault(self, route: str) -> Fault | None:
        """Roll. The number of rolls, and so what comes later, follows from the order of the requests."""
        chance = CHANCES.get(route, OTHER_CHANCE) if self._chance is None else self._chance
        if not self.on or self._random.random() >= chance:
            return None
        faults = (*_EVERYWHERE, _UNKNOWN_WORKER) if route in ("poll", "ping") else _EVERYWHERE
        return self._random.choice(faults)
