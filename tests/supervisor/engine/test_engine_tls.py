"""TLS that does not work is told as what it is: OpenSSL numbers its errors from 1, and 1 is EPERM elsewhere."""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from supervisor.engine.api import EngineApi
from supervisor.engine.http import EngineAccess
from supervisor.errors import EngineError
from tests.patience import PATIENCE_SECONDS


def certificate(directory: Path, days: tuple[int, int] = (-1, 1), address: str = "127.0.0.1") -> Path:
    """A certificate that nobody has signed but its owner, and its key, in one file. `days` from now it is valid."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "engine")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(exist_ok=True)
    file = directory / "engine.pem"
    encoding = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(encoding)
    )
    return file


@contextlib.contextmanager
def served(context: ssl.SSLContext | None) -> Iterator[str]:
    """The address of a server, with TLS if there is a context. It writes alerts, which asyncio may keep."""
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def server_context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture(params=[True, False], ids=["self-signed", "no TLS"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, bool]]:
    """The address of a server, and whether it speaks TLS."""
    with served(server_context(certificate(tmp_path)) if request.param else None) as url:
        yield url, request.param


async def test_tls_that_does_not_work_is_told_with_its_reason_and_what_to_look_at(
    server: tuple[str, bool],
) -> None:
    url, has_tls = server
    api = EngineApi(EngineAccess(url))
    with pytest.raises(EngineError) as caught:
        await api.ping("w-1")
    await api.close()
    assert "Operation not permitted" not in str(caught.value)
    assert "no TLS with 127.0.0.1" in str(caught.value)
    assert ("--engine-ca-file" in str(caught.value)) == has_tls
    assert ("Is it an http:// address" in str(caught.value)) != has_tls


@pytest.mark.parametrize(
    ("days", "address", "words"),
    [
        ((-2, -1), "127.0.0.1", "expired). Have it renewed"),
        ((1, 2), "127.0.0.1", "Set this machine's clock"),
        ((-1, 1), "127.0.0.2", "--engine-url"),
    ],
    ids=["expired", "not valid yet", "of another address"],
)
async def test_a_certificate_that_no_ca_would_make_right_is_told_with_what_does(
    tmp_path: Path, days: tuple[int, int], address: str, words: str
) -> None:
    file = certificate(tmp_path, days, address)
    with served(server_context(file)) as url:
        api = EngineApi(EngineAccess(url, ca_file=file))
        with pytest.raises(EngineError) as caught:
            await api.ping("w-1")
        await api.close()
    assert words in str(caught.value)
    assert "--engine-ca-file" not in str(caught.value)


async def test_an_engine_that_wants_a_certificate_of_the_worker_is_told_as_such(tmp_path: Path) -> None:
    file, another = certificate(tmp_path / "engine"), certificate(tmp_path / "another")
    context = server_context(file)
    context.load_verify_locations(file)
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2
    with served(context) as url:
        api = EngineApi(EngineAccess(url, ca_file=file, client_certificate=another))
        with pytest.raises(EngineError, match="--engine-client-certificate"):
            await api.ping("w-1")
        await api.close()


@pytest.mark.parametrize("has_client_certificate", [False, True])
async def test_an_engine_behind_tls_is_reached_with_its_ca_and_gets_our_certificate(
    tmp_path: Path, has_client_certificate: bool
) -> None:
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if has_client_certificate:
        context.load_verify_locations(file)
        context.verify_mode = ssl.CERT_REQUIRED
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    own = file if has_client_certificate else None
    async with server:
        api = EngineApi(EngineAccess(url, ca_file=file, client_certificate=own, client_key=own))
        assert await api.ping("w-1")
        await api.close()
    assert requests[0].startswith(b"POST /workers/w-1/ping HTTP/1.1\r\n")


async def test_certificates_that_are_renewed_on_the_disk_are_used_without_a_restart(tmp_path: Path) -> None:
    accepted, expired = certificate(tmp_path / "accepted"), certificate(tmp_path / "expired")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(accepted)
    context.load_verify_locations(accepted)
    context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        api = EngineApi(EngineAccess(url, ca_file=expired, client_certificate=expired))
        with pytest.raises(EngineError):
            await api.ping("w-1")
        expired.write_bytes(b"half of what is being written")
        with pytest.raises(EngineError):
            await api.ping("w-1")
        expired.write_bytes(accepted.read_bytes())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await answers(api):  # a thread reads them, and tells nobody
                await asyncio.sleep(0.01)
        await api.close()


async def answers(api: EngineApi) -> bool:
    try:
        return await api.ping("w-1")
    except EngineError:
        return False
