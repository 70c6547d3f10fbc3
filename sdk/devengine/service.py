"""What the HTTP handlers use, and how they find it in the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from sdk.devengine.blackboard import Blackboard
from sdk.devengine.faults import Faults
from sdk.devengine.options import EngineOptions
from sdk.devengine.request_log import RequestLog
from sdk.devengine.roster import Roster
from sdk.devengine.store import Database, LogStore
from sdk.devengine.tokens import AccessToken


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one running engine. Without a `token` it answers every program on this machine."""

    options: EngineOptions
    database: Database
    clock: Callable[[], float]
    blackboard: Blackboard
    roster: Roster
    logs: LogStore
    faults: Faults
    request_log: RequestLog
    token: AccessToken | None


SERVICE = web.AppKey("service", Service)


def service_of(request: web.Request) -> Service:
    """Return the parts of the engine that serves this request."""
    return request.app[SERVICE]
