"""What a request must be before it is handled: from a program on this machine, and JSON.

A web page must not be able to run a block. Listening on loopback does not prevent it, since the browser runs
on this machine. Three checks do: `Origin` is refused (a page's script sends it), `Host` must be a loopback
name (a page that points its own name at 127.0.0.1 sends that name), and a body must be declared as JSON (a
page's form can't do that).
"""

from __future__ import annotations

from aiohttp import hdrs, web

from sdk.devengine.errors import ContentTypeError, HeaderError, TokenError

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


def check_sender(request: web.Request) -> None:
    """Raise `HeaderError` unless Host is a loopback name and there is no Origin."""
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 or _host_name(hosts[0]) not in _LOOPBACK_NAMES:
        raise HeaderError("Host must be 127.0.0.1, localhost or [::1]; call the engine by one of these")
    if hdrs.ORIGIN in request.headers:
        raise HeaderError("requests from web pages (with an Origin header) are refused; use a program")


def check_token(request: web.Request, token: str | None) -> None:
    """Raise `TokenError` unless the request has this bearer token. Without a token everybody may look."""
    if token is not None and request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {token}":
        raise TokenError("this route wants a bearer token (Authorization: Bearer ...)")


def check_content_type(request: web.Request) -> None:
    """Raise `ContentTypeError` when there is a body and it is not declared as JSON."""
    if request.can_read_body and request.content_type != "application/json":
        raise ContentTypeError("the body must have the content type application/json")


def _host_name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    # An address in brackets contains colons itself: only digits after the last one are a port.
    return (name if colon and port.isdigit() else host).lower()
