"""Requests through the generated client's machinery: its configuration, connections, headers and authentication.

Not through its DTOs: 0.42.1 turns `5` into `5.0`, refuses `[1, null]` in a patch, and rejects a whole poll for
one bad item (engine contract: the two client generations, polls). Its calls without preloaded content neither raise on
4xx and 5xx nor read the body; this does both.
"""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from supervisor.engine.access_token import AccessToken
from supervisor.engine.answering import Answering
from supervisor.engine.backoff import is_retryable
from supervisor.engine.error_texts import (
    excerpt,
    explanation_of,
    message_in,
    reason_of,
    redirect_hint,
    retry_after_seconds,
)
from supervisor.engine.generated_client import ApiClient, Configuration
from supervisor.engine.own_secrets import OwnSecrets
from supervisor.engine.proxy import proxy_for
from supervisor.errors import EngineError, StartRefusedError

_BODY_CAP_BYTES: Final = 4 * 2**20
"""Of every answer but a poll's. To parse so much takes some 40 milliseconds of the loop."""

_NOT_ALLOWED: Final = frozenset({401, 403})
_OF_A_GATEWAY: Final = frozenset({407, 502, 503, 504})
"""What a proxy says of an engine that does not answer."""


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
    secrets: OwnSecrets = field(default_factory=lambda: OwnSecrets(None), repr=False, compare=False)

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
        return f"it begins with {excerpt(self.body, self.secrets)}" if self.body.strip() else "it is empty"


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, and how: see `EngineHttp.post`."""

    method: str
    path: str
    what: str
    seconds: float
    data: bytes | None = None
    cap_bytes: int | None = None
    fresh: bool = False


class EngineHttp:
    """Sends one request at a time as asked. Needs a running loop when created; close it at the end."""

    def __init__(self, access: EngineAccess) -> None:
        self._access = access
        self.answering = Answering()
        try:
            self._token = AccessToken(access.token_file, access.url)
            configuration = Configuration(
                host=access.url.rstrip("/"), access_token=self._token.value, ssl_ca_cert=_text(access.ca_file)
            )
            # Declared as always `None` by the client, which reads them all the same.
            settings: Any = configuration
            settings.cert_file = _text(access.client_certificate)
            settings.key_file = _text(access.client_key)
            # Requests that hang must not keep others from a connection; how many there are is bound elsewhere.
            configuration.connection_pool_maxsize = 0
            self._client = ApiClient(configuration)
            # By the client's own name for it, which differs from what its specification calls the scheme.
            self._authentication = list(configuration.auth_settings())
            self._session, self._fresh_session = _own_sessions(self._client)
            self._proxy = proxy_for(access.url)
            self._secrets = OwnSecrets(self._token.value, access.url, self._proxy)
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
        fresh: bool = False,
    ) -> Answer:
        """POST `body` as JSON, or `text`, which is JSON already and is sent unchanged.

        Of an answer of more than `cap_bytes` the beginning is returned. Without, it is an error if it is large.

        Raises `EngineError` for every answer that is not 2xx, and for none at all. `what` names the request in
        messages. `fresh` has it sent over a new connection. When cancelled, the engine may still carry the request
        out.
        """
        data = text if text is not None else (None if body is None else json.dumps(body).encode())
        seconds = seconds or self._access.request_seconds
        return await self._ask(_Request("POST", path, what, seconds, data, cap_bytes, fresh))

    async def get(self, path: str, what: str, *, seconds: float | None = None) -> Answer:
        """GET `path`; errors as for `post`."""
        return await self._ask(_Request("GET", path, what, seconds or self._access.request_seconds))

    async def _ask(self, request: "_Request") -> Answer:
        """Send a request; once more where the token has become another one, as after a restart of the engine.

        Also a poll: a request that is answered with 401 or 403 was not carried out.
        """
        sent = self._client.configuration.access_token
        try:
            return await self._send(request)
        except EngineError as error:
            if error.status not in _NOT_ALLOWED:
                raise
            try:
                if not await self._token.renew(sent):
                    raise
            except StartRefusedError as refused:
                raise EngineError(
                    f"{error} {refused}", status=error.status, said=error.said, retryable=error.retryable
                ) from refused
        token = self._token.value
        self._client.configuration.access_token = token
        self._secrets.learn(token or "")
        return await self._send(request)

    async def _send(self, request: "_Request") -> Answer:
        _, url, headers, _, _ = self._client.param_serialize(
            request.method, request.path, auth_settings=self._authentication
        )
        headers["Accept"] = "application/json"
        # A few kilobytes can unpack to gigabytes, and do so on the loop: 64 MiB hold it for 0.2 s.
        headers["Accept-Encoding"] = "identity"
        headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=request.seconds)
        session = self._fresh_session if request.fresh else self._session
        sent_at = asyncio.get_running_loop().time()
        try:
            async with session.request(
                request.method,
                url,
                data=request.data,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                content, complete = await _read_capped(response, request.cap_bytes)
        except (
            aiohttp.ClientError,
            TimeoutError,
            asyncio.IncompleteReadError,
            OSError,
            MemoryError,
        ) as error:
            reason = self._secrets.masked(reason_of(error, request.seconds))
            raise EngineError(
                f"No answer from the engine to {request.what}: {reason}.",
                timed_out=isinstance(error, TimeoutError),
            ) from None  # its own text is not masked
        if response.status not in _OF_A_GATEWAY:
            self.answering.answered(sent_at)
        if 200 <= response.status < 300:
            return Answer(response.status, content, complete, self._secrets)
        said = f"{response.status}{redirect_hint(response.status)}: {explanation_of(content, self._secrets)}"
        raise EngineError(
            f"The engine answered {request.what} with {said}.",
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
        await self._fresh_session.close()


def _own_sessions(client: ApiClient) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession]:
    """Return a session over the client's connections and TLS settings that does not read the environment.

    The second makes a new connection for each request: one that is kept may lead to where nobody answers any more.

    The client's own has `trust_env`, with which aiohttp looks for proxies and `.netrc` anew at each request, in a
    thread: milliseconds on the way of every job.
    """
    generated = client.rest_client.pool_manager
    kept: Any = generated.connector
    fresh = aiohttp.TCPConnector(limit=0, force_close=True, ssl=kept._ssl)
    generated.detach()
    return _session_over(kept), _session_over(fresh)


def _session_over(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    # No cookies: the contract has none, and one in each answer would be memory that is never given back.
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


async def _read_capped(response: aiohttp.ClientResponse, cap_bytes: int | None) -> tuple[bytes, bool]:
    """Return an answer, or what it begins with where it has more than `cap_bytes`, and whether it is whole."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > (cap_bytes or _BODY_CAP_BYTES):
            if cap_bytes is None:
                raise aiohttp.ClientPayloadError(f"an answer of more than {_BODY_CAP_BYTES} bytes")
            return bytes(body[:cap_bytes]), False
    return bytes(body), True
