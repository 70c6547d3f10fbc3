"""Small helpers for all handlers: routes with and without a slash, reading bodies, writing answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from pydantic import TypeAdapter

from sdk.devengine.payloads.reader import parse_json, validate

MAX_BODY_BYTES = 32 * 2**20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BodyT = TypeVar("BodyT")


def add_route(
    app: web.Application, method: str, path: str, handler: Handler, *, name: str | None = None
) -> None:
    """Serve `path` with and without a trailing slash, because the engine's documents write it both ways.

    `name` is the route's name for faults and recorded requests.
    """
    resource = app.router.add_resource(path, name=name)
    resource.add_route(method, handler)
    if path != "/":
        app.router.add_resource(f"{path}/", name=name and f"{name}.slash").add_route(method, handler)


def route_name(request: web.Request) -> str:
    """Return the name given to `add_route`, or "" for an unnamed or unknown route."""
    resource = request.match_info.route.resource
    return ((resource.name if resource is not None else None) or "").removesuffix(".slash")


async def read_body(request: web.Request, adapter: TypeAdapter[BodyT]) -> tuple[BodyT, str]:
    """Return the checked body and its text. Raises `RequestError`."""
    data = await request.read()
    return validate(adapter, parse_json(data)), data.decode("utf-8")


def answer(value: Any, status: int = HTTPStatus.OK) -> web.Response:
    """Answer with a JSON value."""
    return answer_text(json.dumps(value), status)


def answer_text(text: str, status: int = HTTPStatus.OK) -> web.Response:
    """Answer with a text that is already JSON."""
    return web.Response(text=text, status=status, content_type="application/json")


def answer_empty(status: int) -> web.Response:
    """Answer without a body."""
    response = web.Response(status=status)
    # aiohttp would declare an empty body as application/octet-stream, which the generated clients refuse.
    response.headers["Content-Type"] = "application/json"
    return response


def answer_error(status: int, *messages: str) -> web.Response:
    """Answer like a Nest application: one message, or a list of several."""
    message: str | list[str] = messages[0] if len(messages) == 1 else list(messages)
    return answer({"statusCode": status, "message": message, "error": _phrase(status)}, status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"  # in no standard, such as the 520 of a proxy, which a fault may order
