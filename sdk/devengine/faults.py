"""Faults that a test orders: what the engine does wrong, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sdk.devengine.errors import EngineOptionsError

FaultRoute = Literal[
    "poll",
    "result",
    "ping",
    "register",
    "register_block",
    "unregister",
    "compatibility",
    "log",
    "worker_jobs",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault for the next `times` requests to a route.

    First the request waits `delay_seconds`. Then, with `drop="before"`, the connection is closed, and nothing was
    handled. Otherwise, if a `status` or a `body` is given, it is the answer *instead of* handling the request. With
    `handle=True` it replaces parts of the true answer to a request that *was* handled and committed (so
    `status=200, handle=True` on a poll claims jobs and answers 200). `answer_delay_seconds` pass between handling and
    answering; `drop="after"` closes the connection there, without an answer.

    With `hang` there is no answer at all: the connection stays open until the client closes it. With `handle` the
    request is handled first.

    `body` is text or bytes, sent unchanged, or any other JSON value. Without a `status` it is sent with the
    route's success status. `content_type` defaults to JSON. `headers` are added, for example
    `{"Retry-After": "2"}`.
    """

    route: FaultRoute
    status: int | None = None
    times: int = 1
    delay_seconds: float = 0.0
    drop: Literal["before", "after"] | None = None
    body: Any = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    handle: bool = False
    answer_delay_seconds: float = 0.0
    hang: bool = False

    def __post_init__(self) -> None:
        if self.route not in get_args(FaultRoute):
            routes = ", ".join(get_args(FaultRoute))
            raise EngineOptionsError(f"fault route is {self.route!r}; use one of {routes}")
        if self.times < 1:
            raise EngineOptionsError(f"fault times is {self.times}; use 1 or more")
        if self.status is not None and not 200 <= self.status <= 599:
            raise EngineOptionsError(f"fault status is {self.status}; use 200 to 599")

    @property
    def success_status(self) -> int:
        """The status of a true success on this route (engine contract: worker routes)."""
        return 200 if self.route in ("ping", "unregister", "worker_jobs") else 201

    @property
    def replaces_handling(self) -> bool:
        """Whether the request is answered without being handled."""
        return not self.handle and self.drop is None and (self.status is not None or self.body is not None)


class Faults:
    """The faults that have not happened yet, per route, in the order in which they were added."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        """Order one more fault. It comes after the faults that are already ordered for its route."""
        self._waiting.append((fault, fault.times))

    def clear(self) -> int:
        """Forget all faults that have not happened; return for how many requests they were."""
        count = self.waiting
        self._waiting.clear()
        return count

    @property
    def waiting(self) -> int:
        """For how many requests faults are still ordered."""
        return sum(times for _, times in self._waiting)

    def take(self, route: str) -> Fault | None:
        """Return the fault for the next request to this route, and count it."""
        for index, (fault, times) in enumerate(self._waiting):
            if fault.route == route:
                self._waiting[index : index + 1] = [(fault, times - 1)] if times > 1 else []
                return fault
        return None
