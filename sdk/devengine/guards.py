"""Checks before a request is handled: it comes from a program of the engine's user on this machine, and is JSON.

Other users of this machine reach the loopback, too: the token keeps them out (`tokens`). A web page must not be able to
run a block either. To listen on loopback does not prevent that, because the browser runs on this machine. Three checks
do: `Origin` is refused (a page's script sends it), `Host` must be a loopback name (a page that points its own name at
127.0.0.1 sends that name), and a body must be declared as JSON (a page's form can't do that).
"""

from __future__ import annotations

from aiohttp import hdrs, web

from sdk.devengine.errors import ContentTypeError, HeaderError, TokenError
from sdk.devengine.tokens import AccessToken

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_OPEN_PATHS = frozenset({"/health", "/health/"})
"""What everybody may ask: it shows that an engine runs here, and nothing else."""


def check_sender(request: web.Request) -> None:
    """Raise `HeaderError` unless Host is a loopback name and there is no Origin."""
    hosts = request.headers.getall(hdrs.HOST, [])
    if len(hosts) != 1 or _host_name(hosts[0]) not in _LOOPBACK_NAMES:
        raise HeaderError("Host must be 127.0.0.1, localhost or [::1]; call the engine by one of these")
    if hdrs.ORIGIN in request.headers:
        raise HeaderError("requests from web pages (with an Origin header) are refused; use a program")


def check_token(request: web.Request, token: AccessToken | None) -> None:
    """Raise `TokenError` unless the request has the engine's token; without a token everybody may ask everything.

    Also for an unknown path: a client without the token must not learn which paths exist.
    """
    if token is None or request.path in _OPEN_PATHS or token.is_in(request.headers.get(hdrs.AUTHORIZATION)):
        return
    # The message does not say where the token is: a client without it can be any user of this machine.
    raise TokenError(
        "this engine wants its bearer token, which its user finds in the file that it names at its start"
    )


def check_read_token(request: web.Request, token: str | None) -> None:
    """Raise `TokenError` unless the request has this bearer token. Without a token everybody may look."""
    if token is not None and request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {token}":
        raise TokenError("this route wants a bearer token (Authorization: Bearer ...)")


def check_content_type(request: web.Request) -> None:
    """Raise `ContentTypeError` if there is a body and it is not declared as JSON."""
    if request.can_read_body and request.content_type != "application/json":
        raise ContentTypeError("the body must have the content type application/json")


def _host_name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    # An address in brackets has colons of its own: only digits after the last colon are a port.
    return (name if colon and port.isdigit() else host).lower()
