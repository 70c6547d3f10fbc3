"""The answer to each request, and how much the client may learn. Pure."""

import hmac
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from supervisor.worker.health.snapshot import Snapshot, why_not_live, why_not_ready_now
from supervisor.worker.readiness import Reason

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BEARER: Final = "bearer "
_NO_METRICS: Final = (
    "There are no metrics: the package prometheus-client is not installed. Run pip install '.[metrics]' in "
    "a checkout (deploy/install.sh has it already) and restart the worker."
)
_ONLY_WITH_IT: Final = (
    "Metrics on a port are for who knows a token, since jobs reach the port too. Set --health-token-file, or have "
    "--health-address name a Unix socket."
)


class Access(Enum):
    """How much a client may learn."""

    ALL = auto()
    """The client gave the token, or the socket lets in only clients that may."""
    STATE = auto()
    """Whether the worker is live and ready, and nothing else."""
    REFUSED = auto()
    """The client gave a wrong token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def access_of(authorization: str | None, token: str | None) -> Access:
    """Return what a client on a port may learn, by its header. Takes the same time for each wrong token."""
    if authorization is None:
        return Access.STATE
    given = authorization[len(_BEARER) :] if authorization.lower().startswith(_BEARER) else ""
    if token is None or not hmac.compare_digest(given.strip().encode(errors="replace"), token.encode()):
        return Access.REFUSED
    return Access.ALL


def is_own_host(host: str | None) -> bool:
    """Whether a Host header names this machine's loopback.

    A web page can make its own name lead here (DNS rebinding), but its browser then sends that name.
    """
    name = (host or "").rpartition("]")[0].lstrip("[") or (host or "").partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def answer(
    path: str,
    access: Access,
    snapshot: Snapshot,
    now: float,
    *,
    metrics: Callable[[], bytes] | None,
    has_token: bool,
) -> Answer:
    """Return the answer for `path`. `metrics` makes the text of the metrics; `None` if nothing counts them."""
    if path not in ("/live", "/ready", "/metrics"):
        return refusal(404, "There is nothing here. Ask for /live, /ready or /metrics.")
    if access is Access.REFUSED:
        return _unauthorized("This is not the token.")
    if path == "/live":
        return _state("live", why_not_live(snapshot, now), access)
    if path == "/ready":
        return _state("ready", why_not_ready_now(snapshot, now), access)
    if access is not Access.ALL:
        if has_token:
            return _unauthorized("Metrics are for who knows the token: Authorization: Bearer TOKEN.")
        return refusal(403, _ONLY_WITH_IT)
    if metrics is None:
        return refusal(501, _NO_METRICS)
    return Answer(200, metrics(), METRICS_TYPE)


def refusal(status: int, message: str) -> Answer:
    """Return an answer that says why the request is refused."""
    return Answer(status, _json({"message": message}))


def _unauthorized(message: str) -> Answer:
    return Answer(401, _json({"message": message}), headers={"WWW-Authenticate": "Bearer"})


def _state(name: str, why_not: tuple[Reason, ...], access: Access) -> Answer:
    body: dict[str, object] = {name: not why_not}
    if access is Access.ALL:
        body["why_not"] = [{"cause": why.cause, "message": why.message} for why in why_not]
    return Answer(503 if why_not else 200, _json(body))


def _json(body: dict[str, object]) -> bytes:
    return json.dumps(body).encode() + b"\n"
