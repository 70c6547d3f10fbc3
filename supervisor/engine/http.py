"""Requests through the generated client's machinery: its configuration, connections, headers and authentication.

Not through its DTOs: 0.42.1 turns ``5`` into ``5.0``, refuses ``[1, null]`` in a patch, and rejects a whole poll for
one bad item (engine contract: the two client generations, polls). Its calls without preloaded content neither raise on
4xx and 5xx nor read the body; this does both.
"""

import asyncio
import contextlib
import json
import math
import os
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
from neops_workflow_engine_client.api_client import ApiClient
from neops_workflow_engine_client.configuration import Configuration

from jobrunner.protocol.caps import cut
from jobrunner.protocol.masking import Mask
from supervisor.engine.backoff import is_retryable
from supervisor.engine.proxy import proxy_for
from supervisor.errors import EngineError, StartRefusedError
from supervisor.settings.token_file import read_token

_BODY_CAP_BYTES: Final = 4 * 2**20
"""Of every answer but a poll's. To parse so much takes some 40 milliseconds of the loop."""
_EXPLANATION_CAP_BYTES: Final = 64 * 1024
_EXCERPT_CHARS: Final = 200
_ERROR_CAP_BYTES: Final = 64 * 1024
"""An engine's message about an error is short; what is longer is not read on the loop."""

_REASON_CHARS: Final = 500
_NO_TOKEN: Final = 401
_MASK: Final = Mask()


@dataclass(frozen=True, slots=True)
class EngineAccess:
    """Where the engine is, and what is needed to reach it."""

    url: str
    request_seconds: float = 30.0
    poll_seconds: float = 15.0
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    token_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer."""

    status: int
    body: bytes
    complete: bool = True
    """Whether this is all of it: more than was asked for is not read."""

    def json(self, what: str) -> Any:
        """Return the body as JSON. Raises `EngineError` for anything else, such as a proxy's HTML page."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # the latter is what nesting without end leads to
            raise self.unreadable(what) from None

    def unreadable(self, what: str) -> EngineError:
        """Return the error of an answer that can't be read."""
        return EngineError(
            f"The engine's answer to {what} is not JSON that can be read: {self._describe()}. "
            "Check that the engine's URL leads to the engine, and not to a proxy or a web page.",
            status=self.status,
        )

    def _describe(self) -> str:
        # A list of jobs that breaks off is no JSON either, and holds device passwords.
        if self.body.lstrip()[:1] in (b"[", b"{", b'"'):
            return f"{len(self.body)} bytes that begin like JSON"
        return f"it begins with {_excerpt(self.body)}" if self.body.strip() else "it is empty"


class EngineHttp:
    """Sends one request at a time as asked. Needs a running loop when created; close it at the end."""

    def __init__(self, access: EngineAccess) -> None:
        self._access = access
        try:
            token = read_token(access.token_file, access.url) if access.token_file else None
            configuration = Configuration(
                host=access.url.rstrip("/"), access_token=token, ssl_ca_cert=_text(access.ca_file)
            )
            # Declared as always `None` by the client, which reads them all the same.
            settings: Any = configuration
            settings.cert_file = _text(access.client_certificate)
            settings.key_file = _text(access.client_key)
            self._client = ApiClient(configuration)
            # By the client's own name for it, which differs from what its specification calls the scheme.
            self._authentication = list(configuration.auth_settings())
            self._session = _own_session(self._client)
            self._proxy = proxy_for(access.url)
        except OSError as error:
            raise StartRefusedError(
                f"A file for access to the engine can't be used: {error}. Look at --engine-ca-file, "
                "--engine-client-certificate and --engine-client-key."
            ) from error

    async def post(
        self,
        path: str,
        what: str,
        body: Any = None,
        *,
        text: bytes | None = None,
        seconds: float | None = None,
        cap_bytes: int | None = None,
    ) -> Answer:
        """POST ``body`` as JSON, or ``text``, which is JSON already and is sent unchanged.

        Of an answer of more than ``cap_bytes`` the beginning is returned. Without, it is an error if it is large.

        Raises `EngineError` for every answer that is not 2xx, and for none at all. ``what`` names the request in
        messages. When cancelled, the engine may still carry the request out.
        """
        data = text if text is not None else (None if body is None else json.dumps(body).encode())
        return await self._ask("POST", path, what, data, seconds or self._access.request_seconds, cap_bytes)

    async def get(self, path: str, what: str) -> Answer:
        """GET ``path``; errors as for `post`."""
        return await self._ask("GET", path, what, None, self._access.request_seconds)

    async def _ask(
        self,
        method: str,
        path: str,
        what: str,
        data: bytes | None,
        seconds: float,
        cap_bytes: int | None = None,
    ) -> Answer:
        """Send a request; once more where the token has become another one, as after a restart of the engine.

        Also a poll: a request that is answered with 401 was not carried out.
        """
        sent = self._client.configuration.access_token
        try:
            return await self._send(method, path, what, data, seconds, cap_bytes)
        except EngineError as error:
            if error.status != _NO_TOKEN or self._access.token_file is None:
                raise
            try:
                token = read_token(self._access.token_file, self._access.url)
            except StartRefusedError as refused:
                raise EngineError(f"{error} {refused}", status=error.status, retryable=False) from refused
            if token == sent:
                raise
        self._client.configuration.access_token = token
        return await self._send(method, path, what, data, seconds, cap_bytes)

    async def _send(
        self, method: str, path: str, what: str, data: bytes | None, seconds: float, cap_bytes: int | None
    ) -> Answer:
        _, url, headers, _, _ = self._client.param_serialize(method, path, auth_settings=self._authentication)
        headers["Accept"] = "application/json"
        # A few kilobytes can unpack to gigabytes, and do so on the loop: 64 MiB hold it for 0.2 s.
        headers["Accept-Encoding"] = "identity"
        headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                content, complete = await _read_capped(response, cap_bytes)
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise EngineError(f"No answer from the engine to {what}: {_reason(error, seconds)}.") from error
        if 200 <= response.status < 300:
            return Answer(response.status, content, complete)
        raise EngineError(
            f"The engine answered {what} with {response.status}{_redirect(response.status)}: {_explanation(content)}.",
            status=response.status,
            said=message_in(content),
            retryable=is_retryable(response.status),
            retry_after_seconds=retry_after_seconds(
                response.headers.get("Retry-After"), response.headers.get("Date")
            ),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _own_session(client: ApiClient) -> aiohttp.ClientSession:
    """Return a session over the client's connections and TLS settings that does not read the environment.

    The client's own has ``trust_env``, with which aiohttp looks for proxies and `.netrc` anew at each request, in a
    thread: milliseconds on the way of every job.
    """
    generated = client.rest_client.pool_manager
    # No cookies: the contract has none, and one in each answer would be memory that is never given back.
    session = aiohttp.ClientSession(
        connector=generated.connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )
    generated.detach()
    return session


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


async def _read_capped(response: aiohttp.ClientResponse, cap_bytes: int | None) -> tuple[bytes, bool]:
    """Return an answer, or what it begins with where it has more than ``cap_bytes``, and whether it is whole."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > (cap_bytes or _BODY_CAP_BYTES):
            if cap_bytes is None:
                raise aiohttp.ClientPayloadError(f"an answer of more than {_BODY_CAP_BYTES} bytes")
            return bytes(body[:cap_bytes]), False
    return bytes(body), True


def _reason(error: BaseException, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"none within {seconds:g} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        # aiohttp's own text tells of its TLS setting, also where there is no TLS.
        if isinstance(error, aiohttp.ClientSSLError):
            return f"no TLS with {error.host}:{error.port}: {_tls_reason(error)}"
        number = error.os_error.errno or 0
        reason = os.strerror(number) if number > 0 else error.os_error.strerror or str(error.os_error)
        return f"can't connect to {error.host}:{error.port}: {reason}"
    # aiohttp quotes what it could not read, which may be megabytes.
    return cut(" ".join(str(error).split()), _REASON_CHARS) or type(error).__name__


def _tls_reason(error: aiohttp.ClientConnectorError) -> str:
    """Say why TLS can't be used. The number of such an error is OpenSSL's, and no errno."""
    cause = error.os_error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({cause.verify_message}). Give its CA with --engine-ca-file"
    reason = getattr(cause, "reason", None) or str(cause)
    return f"{reason.replace('_', ' ').lower()}. Is it an http:// address, or another service?"


def message_in(content: bytes) -> str | None:
    """Return the message in an answer that tells of an error as the engine does; `None` for all others.

    See engine contract: status codes. Of JSON only its own messages are told: all else may be a job's passwords.
    """
    if content.lstrip()[:1] != b"{" or len(content) > _ERROR_CAP_BYTES:
        return None
    try:
        answer = json.loads(content) if len(content) <= _EXPLANATION_CAP_BYTES else None
    except (ValueError, RecursionError):
        return None
    said = answer.get("message", answer.get("error")) if isinstance(answer, dict) else None
    if not said:
        return None
    return said if isinstance(said, str) else json.dumps(said)


def _explanation(content: bytes) -> str:
    said = message_in(content)
    if said is not None:
        return _excerpt(said.encode(errors="backslashreplace"))
    if content.lstrip()[:1] not in (b"[", b"{"):
        return _excerpt(content)
    return f"{len(content)} bytes of JSON without a message"


def _redirect(status: int) -> str:
    # Where it leads is not told: an address that leads to a sign-in page may hold a token.
    return " (a redirect; is there a proxy at --engine-url?)" if 300 <= status < 400 else ""


def _excerpt(content: bytes) -> str:
    # By name alone: which job it is about, and what its secrets are, is not known here.
    text: str = _MASK(content[: 4 * _EXCERPT_CHARS].decode(errors="backslashreplace"), cut_after=True)
    text = " ".join(text.split())
    return repr(text[:_EXCERPT_CHARS]) if text else "nothing"


def retry_after_seconds(value: str | None, date: str | None) -> float | None:
    """Return the pause that ``Retry-After`` asks for, or `None` (RFC 9110, section 10.2.3).

    A date counts from the answer's own ``Date``: this machine's clock need not agree with the engine's.
    """
    if not value:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(date or "")
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # the second: one of both has no time zone
        return None
