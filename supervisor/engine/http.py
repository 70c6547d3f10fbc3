"""Requests to the engine, and what their answers mean: which are errors, what the text says, when to ask again.

They don't use the generated client's DTOs: 0.42.1 turns `5` into `5.0`, refuses `[1, null]` in a patch, and rejects a
whole poll for one bad item (engine contract: the two client generations, polls). A `Transport` knows how a request
travels.
"""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from supervisor.engine.access_token import AccessToken
from supervisor.engine.answering import Answering
from supervisor.engine.arrival import Arrival
from supervisor.engine.backoff import is_retryable
from supervisor.engine.error_texts import (
    excerpt,
    explanation_of,
    message_in,
    redirect_hint,
    retry_after_seconds,
)
from supervisor.engine.own_secrets import OwnSecrets
from supervisor.engine.plain_transport import PlainTransport, plain_address
from supervisor.engine.proxy import proxy_for
from supervisor.engine.transport import NoReplyError, Request, Transport
from supervisor.errors import EngineError, StartRefusedError

_NOT_ALLOWED: Final = frozenset({401, 403})
_OF_A_GATEWAY: Final = frozenset({407, 502, 503, 504})
"""A proxy sends these when the engine does not answer."""


@dataclass(frozen=True, slots=True)
class EngineAccess:
    """Where the engine is, and what the worker needs to reach it."""

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
    """Whether this is the whole answer: the worker stops reading at its cap."""
    secrets: OwnSecrets = field(default_factory=lambda: OwnSecrets(None), repr=False, compare=False)

    def json(self, what: str) -> Any:
        """Return the body as JSON. Raises `EngineError` for anything else, such as a proxy's HTML page."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # the second: endless nesting
            raise self.unreadable(what) from None

    def unreadable(self, what: str) -> EngineError:
        """Return the error for an answer that can't be read."""
        return EngineError(
            f"The engine's answer to {what} is not JSON that can be read: {self._describe()}. "
            "Check that the engine's URL leads to the engine, and not to a proxy or a web page.",
            status=self.status,
        )

    def _describe(self) -> str:
        # A list of jobs that breaks off is not JSON either, and holds device passwords.
        if self.body.lstrip()[:1] in (b"[", b"{", b'"'):
            return f"{len(self.body)} bytes that begin like JSON"
        return f"it begins with {excerpt(self.body, self.secrets)}" if self.body.strip() else "it is empty"


class EngineHttp:
    """Sends one request at a time as asked. Needs a running loop when created; close it at the end."""

    def __init__(self, access: EngineAccess) -> None:
        self._access = access
        self.answering = Answering()
        try:
            self._token = AccessToken(access.token_file, access.url)
            proxy = proxy_for(access.url)
            self._transport = _transport_for(access, proxy)
        except OSError as error:
            raise StartRefusedError(
                f"A file for access to the engine can't be used: {error}. Look at --engine-ca-file, "
                "--engine-client-certificate and --engine-client-key."
            ) from error
        self._secrets = OwnSecrets(self._token.value, access.url, proxy)

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
        arrival: Arrival | None = None,
    ) -> Answer:
        """POST `body` as JSON, or `text`, which is JSON already and is sent unchanged.

        If the answer is longer than `cap_bytes`, its beginning is returned. Without `cap_bytes`, a large answer is an
        error.

        Raises `EngineError` for every answer that is not 2xx, and if there is no answer. `what` names the request in
        messages. `fresh` sends it over a new connection. With an `arrival`, the answer has time while parts of it come.
        After a cancellation, the engine may still carry the request out.
        """
        data = text if text is not None else (None if body is None else json.dumps(body).encode())
        seconds = seconds or self._access.request_seconds
        return await self._ask(Request("POST", path, what, seconds, data, cap_bytes, fresh, arrival))

    async def get(
        self, path: str, what: str, *, seconds: float | None = None, cap_bytes: int | None = None
    ) -> Answer:
        """GET `path`; errors as for `post`. An answer above `cap_bytes` is an error too: half of it is useless."""
        seconds = seconds or self._access.request_seconds
        answer = await self._ask(Request("GET", path, what, seconds, cap_bytes=cap_bytes))
        if not answer.complete:
            raise EngineError(
                f"The engine's answer to {what} has more than {cap_bytes} bytes. So much is not read.",
                status=answer.status,
                retryable=False,  # the next one would be as large
            )
        return answer

    async def _ask(self, request: Request) -> Answer:
        """Send a request. Send it once more if the token has been replaced, as after a restart of the engine.

        A poll too: the engine does not carry out a request that it answers with 401 or 403.
        """
        sent = self._token.value
        try:
            return await self._send(request, sent)
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
        self._secrets.learn(token or "")
        return await self._send(request, token)

    async def _send(self, request: Request, token: str | None) -> Answer:
        sent_at = asyncio.get_running_loop().time()
        try:
            reply = await self._transport.send(request, token)
        except NoReplyError as error:
            why_late = request.arrival.why_late() if request.arrival and error.timed_out else None
            raise EngineError(
                f"No answer from the engine to {request.what}: {why_late or self._secrets.masked(str(error))}.",
                timed_out=error.timed_out,
            ) from None  # the original text is not masked
        if reply.status not in _OF_A_GATEWAY:
            self.answering.answered(sent_at)
        if 200 <= reply.status < 300:
            return Answer(reply.status, reply.body, reply.complete, self._secrets)
        said = f"{reply.status}{redirect_hint(reply.status)}: {explanation_of(reply.body, self._secrets)}"
        raise EngineError(
            f"The engine answered {request.what} with {said}.",
            status=reply.status,
            said=message_in(reply.body),
            retryable=is_retryable(reply.status),
            retry_after_seconds=retry_after_seconds(reply.retry_after, reply.date),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()


def _transport_for(access: EngineAccess, proxy: str | None) -> Transport:
    """Return the transport to the engine. Raises `OSError` if a file for TLS can't be used."""
    files = (access.ca_file, access.client_certificate, access.client_key)
    address = plain_address(access.url) if proxy is None and not any(files) else None
    if address is not None:
        return PlainTransport(address)
    # Imported here: most workers don't need it, and it takes 0.2 s and 20 MB.
    from supervisor.engine.client_transport import ClientTransport

    ca_file, certificate, key = files
    return ClientTransport(access.url, proxy, ca_file=ca_file, certificate=certificate, key=key)
