"""Requests through the generated client's machinery: its configuration, connections, headers and authentication.

For TLS, proxies, and addresses with a user. To import it takes 0.2 s and 20 MB, so only who needs it does.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp

from supervisor.engine.error_texts import PROXY_WANTS_PASSWORD, cant_connect, reason_of
from supervisor.engine.generated_client import ApiClient, Configuration
from supervisor.engine.transport import BODY_CAP_BYTES, NoReplyError, Reply, Request, too_large


class ClientTransport:
    """See `Transport`. Raises `OSError` where a file for TLS can't be used."""

    def __init__(
        self,
        url: str,
        proxy: str | None,
        *,
        ca_file: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        configuration = Configuration(host=url.rstrip("/"), ssl_ca_cert=_text(ca_file))
        # Declared as always `None` by the client, which reads them all the same.
        settings: Any = configuration
        settings.cert_file = _text(certificate)
        settings.key_file = _text(key)
        # Requests that hang must not keep others from a connection; how many there are is bound elsewhere.
        configuration.connection_pool_maxsize = 0
        self._client = ApiClient(configuration)
        self._session, self._fresh_session = _own_sessions(self._client)
        self._proxy = proxy

    async def send(self, request: Request, token: str | None) -> Reply:
        """See `Transport.send`."""
        configuration = self._client.configuration
        configuration.access_token = token
        # By the client's own name for it, which differs from what its specification calls the scheme.
        _, url, headers, _, _ = self._client.param_serialize(
            request.method, request.path, auth_settings=list(configuration.auth_settings())
        )
        headers["Accept"] = "application/json"
        # A few kilobytes can unpack to gigabytes, and do so on the loop: 64 MiB hold it for 0.2 s.
        headers["Accept-Encoding"] = "identity"
        headers["Content-Type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=request.seconds)
        session = self._fresh_session if request.fresh else self._session
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
            ValueError,  # of what it is asked to send, such as a user in the address beside a token
        ) as error:
            if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == PROXY_WANTS_PASSWORD:
                # As it answers itself where the engine speaks no TLS. Nothing has reached the engine.
                return Reply(error.status, error.message.encode(errors="backslashreplace"), complete=True)
            # Not chained: its own text is not masked.
            raise NoReplyError(
                _reason_of(error, request.seconds), timed_out=isinstance(error, TimeoutError)
            ) from None
        said = response.headers
        return Reply(response.status, content, complete, said.get("Retry-After"), said.get("Date"))

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
        if len(body) > (cap_bytes or BODY_CAP_BYTES):
            if cap_bytes is None:
                raise too_large()
            return bytes(body[:cap_bytes]), False
    return bytes(body), True


def _reason_of(error: BaseException, seconds: float) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        # aiohttp's own text tells of its TLS setting, also where there is no TLS.
        if isinstance(error, aiohttp.ClientSSLError):
            return f"no TLS with {error.host}:{error.port}: {_tls_reason(error)}"
        return cant_connect(error.host, error.port, error.os_error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        refusal = f"the proxy makes no connection to it: {error.status} {error.message}"
        return reason_of(ConnectionError(refusal), seconds)  # which cuts what is too long
    if isinstance(error, UnicodeError):  # of the codec `idna`, through which each name goes
        return "the address of the engine, or of the proxy, has no name of a host"
    return reason_of(error, seconds)


def _tls_reason(error: aiohttp.ClientConnectorError) -> str:
    """Say why TLS can't be used. The number of such an error is OpenSSL's, and no errno."""
    cause = error.os_error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({cause.verify_message}). Give its CA with --engine-ca-file"
    reason = getattr(cause, "reason", None) or str(cause)
    return f"{reason.replace('_', ' ').lower()}. Is it an http:// address, or another service?"
