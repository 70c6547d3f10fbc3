"""The settings of one embedded engine."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sdk.devengine.errors import EngineOptionsError

IdGrammar = Literal["0.42", "0.43"]

IN_MEMORY = ":memory:"

# The name of an engine of that client generation. A worker may decide by it which fields it sends.
_VERSION_OF_GRAMMAR: dict[IdGrammar, str] = {"0.42": "0.42.1", "0.43": "0.43.0-beta.8"}


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Settings of a `DevEngine`; the defaults of the thresholds are the real engine's (engine contract: worker states).

    `database` is a file, or `":memory:"` for a database that ends with the engine. `port` 0 takes a free one.
    `max_attempts` above 1 turns on the retry rule (engine contract: retries). `id_grammar` chooses the client
    generation whose block ids are accepted; the default of `engine_version` is the version that goes with it.
    `test_controls` adds the HTTP routes for faults and recorded requests. `record_requests` keeps the
    requests, with bodies, in memory for `DevEngine.requests`.

    Every request except the one for health needs a token. Each start makes a new token, in `token_file`, which only the
    engine's user can read. With None, the file is in a directory that ends with the engine (`DevEngine.token_file`).
    `without_token` is for tests of the contract, which knows no token on the routes of workers, and for workers that
    can't send one: every user of this machine can then read the passwords of jobs. Only then may a `read_token` be
    given: the routes that only read require it as a bearer token (engine contract: access), as the 0.43 engine does.

    With `schemas_may_change` a block is accepted again whatever has changed in its models. No real engine does that: it
    is for an author who is still writing the block, and has no workflows to break.

    Raises `EngineOptionsError` if a value can't work.
    """

    host: str = "127.0.0.1"
    port: int = 0
    database: str | Path = IN_MEMORY
    unreachable_seconds: float = 120.0
    offline_seconds: float = 360.0
    stuck_seconds: float = 720.0
    check_interval_seconds: float = 60.0
    delete_seconds: float = 86_400.0
    max_attempts: int = 1
    id_grammar: IdGrammar = "0.42"
    engine_version: str = ""
    test_controls: bool = False
    record_requests: bool = True
    read_token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    without_token: bool = False
    schemas_may_change: bool = False

    def __post_init__(self) -> None:
        # The slots of a frozen dataclass can be filled only in this way.
        object.__setattr__(self, "host", _loopback_address(self.host))
        if not 0 <= self.port <= 65_535:
            raise EngineOptionsError(f"port is {self.port}; use 1 to 65535, or 0 for a free one")
        if self.without_token and self.token_file is not None:
            raise EngineOptionsError("token_file and without_token can't go together; give one of the two")
        if self.read_token is not None and not self.without_token:
            raise EngineOptionsError(
                "read_token needs without_token; every route wants the engine's own token else"
            )
        self._check_times()
        if self.max_attempts < 1:
            raise EngineOptionsError(f"max attempts is {self.max_attempts}; use 1 (no retry) or more")
        if self.id_grammar not in _VERSION_OF_GRAMMAR:
            raise EngineOptionsError(f"id grammar is {self.id_grammar!r}; use 0.42 or 0.43")
        if not self.engine_version:
            object.__setattr__(self, "engine_version", _VERSION_OF_GRAMMAR[self.id_grammar])

    def _check_times(self) -> None:
        for name in ("unreachable", "offline", "stuck", "check_interval", "delete"):
            value: float = getattr(self, f"{name}_seconds")
            if not value > 0:  # in this form it also refuses NaN
                raise EngineOptionsError(f"{name}_seconds is {value}; use more than 0")
        if self.unreachable_seconds > self.offline_seconds:
            raise EngineOptionsError(
                f"unreachable_seconds ({self.unreachable_seconds}) is above offline_seconds "
                f"({self.offline_seconds}); a worker is unreachable before it is offline"
            )


def _loopback_address(host: str) -> str:
    """Return the loopback address to bind. All others are refused, because jobs carry passwords in clear."""
    # "localhost" may resolve to two addresses, and with port 0 each would get another port.
    address = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise EngineOptionsError(
            f"host {host!r} is not a loopback address; the embedded engine hands out device passwords, and "
            "speaks no TLS, so it listens on 127.0.0.1 or ::1 only; others need the real engine"
        )
    return address
