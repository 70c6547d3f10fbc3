"""Requests through the generated client's machinery: its configuration, connections, headers and authentication.

For TLS, proxies, and addresses with a user. The import takes 0.2 s and 20 MB, so it is made only if it is needed.
"""

import asyncio
import re
import ssl
from pathlib import Path
from typing import Any, Final

import aiohttp

from supervisor.engine.error_texts import PROXY_WANTS_PASSWORD, cant_connect, reason_of
from supervisor.engine.generated_client import ApiClient, Configuration
from supervisor.engine.tls_files import TlsFiles
from supervisor.engine.transport import BODY_CAP_BYTES, NoReplyError, Reply, Request, too_large

_MAY_BE_THE_CERTIFICATE: Final = frozenset({400, 401, 403})
"""What servers say to a certificate that they do not accept, where they let the connection come about."""

_NO_CA: Final = "Give its CA with --engine-ca-file"
_WRONG_NAME: Final = "Write a name in --engine-url that is in the certificate"
_WHAT_HELPS: Final = {  # by OpenSSL's numbers (<openssl/x509_vfy.h>)
    9: "Set this machine's clock: the certificate begins to be valid later",
    10: "Have it renewed. If it is not out of date, this machine's clock is wrong, or a CA's certificate has expired",
    62: _WRONG_NAME,
    64: _WRONG_NAME,
}
_OURS_IS_REFUSED: Final = re.compile(r"alert (?:unknown ca|.*certificate)")
"""What the other side answers, up to TLS 1.2, if it does not accept the worker's own certificate, or gets none."""

_ABOUT_OURS: Final = "It does not accept this worker's certificate: look at --engine-client-certificate"

_NO_TIME_OUT: Final = aiohttp.ClientTimeout()
"""The request has its own time-out: aiohttp's can't be put off while an answer comes."""


class ClientTransport:
    """See `Transport`. Raises `OSError` if a file for TLS can't be used."""

    def __init__(
        self,
        url: str,
        proxy: str | None,
        *,
        ca_file: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        self._tls = TlsFiles(ca_file, certificate, key)
        configuration = Configuration(host=url.rstrip("/"), ssl_ca_cert=_text(ca_file))
        # The client declares these as always `None`, but reads them.
        settings: Any = configuration
        settings.cert_file = _text(certificate)
        settings.key_file = _text(key)
        # Requests that hang must not keep others from a connection. Their number is limited elsewhere.
        configuration.connection_pool_maxsize = 0
        self._client = ApiClient(configuration)
        self._session, self._fresh_session = _own_sessions(self._client)
        self._proxy = proxy

    async def send(self, request: Request, token: str | None) -> Reply:
        """See `Transport.send`."""
        configuration = self._client.configuration
        configuration.access_token = token
        # The client's own name for it differs from the scheme's name in its specification.
        _, url, headers, _, _ = self._client.param_serialize(
            request.method, request.path, auth_settings=list(configuration.auth_settings())
        )
        headers["Accept"] = "application/json"
        # A few kilobytes can unpack to gigabytes on the loop: 64 MiB hold it up for 0.2 s.
        headers["Accept-Encoding"] = "identity"
        headers["Content-Type"] = "application/json"
        session = self._fresh_session if request.fresh else self._session
        try:
            async with (
                request.time_out(),
                session.request(
                    request.method,
                    url,
                    data=request.data,
                    headers=headers,
                    timeout=_NO_TIME_OUT,
                    allow_redirects=False,
                    proxy=self._proxy,
                    ssl=self._tls.context,
                ) as response,
            ):
                content, complete = await _read_capped(response, request)
        except (
            aiohttp.ClientError,
            TimeoutError,
            asyncio.IncompleteReadError,
            OSError,
            MemoryError,
            ValueError,  # about the request itself, such as a user in the address beside a token
        ) as error:
            self._tls.look_again()
            if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == PROXY_WANTS_PASSWORD:
                # The proxy answers this itself if the engine speaks no TLS. Nothing has reached the engine.
                return Reply(error.status, error.message.encode(errors="backslashreplace"), complete=True)
            # Not chained: the original text is not masked.
            raise NoReplyError(
                _reason_of(error, request.seconds), timed_out=isinstance(error, TimeoutError)
            ) from None
        if response.status in _MAY_BE_THE_CERTIFICATE:
            self._tls.look_again()
        said = response.headers
        return Reply(response.status, content, complete, said.get("Retry-After"), said.get("Date"))

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._fresh_session.close()


def _own_sessions(client: ApiClient) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession]:
    """Return a session over the client's connections and TLS settings that does not read the environment.

    The second session makes a new connection for each request: a kept one may lead to a machine that is gone.

    The client's own session has `trust_env`: aiohttp then looks for proxies and `.netrc` at each request, in a
    thread. That would add milliseconds to every job.
    """
    generated = client.rest_client.pool_manager
    kept: Any = generated.connector
    fresh = aiohttp.TCPConnector(limit=0, force_close=True, ssl=kept._ssl)
    generated.detach()
    return _session_over(kept), _session_over(fresh)


def _session_over(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    # No cookies: the contract has none, and a new one in each answer would take memory that is never freed.
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


async def _read_capped(response: aiohttp.ClientResponse, request: Request) -> tuple[bytes, bool]:
    """Return the answer, or its beginning if it is longer than the cap, and whether it is complete."""
    body, cap_bytes = bytearray(), request.cap_bytes
    request.part_came()  # its head
    async for chunk in response.content.iter_any():
        request.part_came()
        body += chunk
        if len(body) > (cap_bytes or BODY_CAP_BYTES):
            if cap_bytes is None:
                raise too_large()
            return bytes(body[:cap_bytes]), False
    return bytes(body), True


def _reason_of(error: BaseException, seconds: float) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        # aiohttp's own text speaks of TLS settings, even if there is no TLS.
        if isinstance(error, aiohttp.ClientSSLError):
            return f"no TLS with {error.host}:{error.port}: {_tls_reason(error)}"
        return cant_connect(error.host, error.port, error.os_error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        refusal = f"the proxy makes no connection to it: {error.status} {error.message}"
        return reason_of(ConnectionError(refusal), seconds)  # cuts a long text
    if isinstance(error, UnicodeError):  # from the codec `idna`, which encodes each host name
        return "the address of the engine, or of the proxy, has no name of a host"
    return reason_of(error, seconds)


def _tls_reason(error: aiohttp.ClientConnectorError) -> str:
    """Say why TLS can't be used. The number in such an error is OpenSSL's, not an errno."""
    cause = error.os_error
    if isinstance(cause, ssl.SSLCertVerificationError):
        advice = _WHAT_HELPS.get(cause.verify_code, _NO_CA)
        return f"its certificate is not accepted ({cause.verify_message.rstrip('.')}). {advice}"
    reason = (getattr(cause, "reason", None) or str(cause)).replace("_", " ").lower()
    advice = (
        _ABOUT_OURS if _OURS_IS_REFUSED.search(reason) else "Is it an http:// address, or another service?"
    )
    return f"{reason}. {advice}"
