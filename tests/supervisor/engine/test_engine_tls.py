"""TLS that does not work is told as what it is: OpenSSL numbers its errors from 1, and 1 is EPERM elsewhere."""

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

from supervisor.engine.access import EngineAccess
from supervisor.engine.api import EngineApi
from supervisor.errors import EngineError


def certificate(directory: Path) -> Path:
    """A certificate that nobody has signed but its owner, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "engine")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = directory / "engine.pem"
    encoding = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(encoding)
    )
    return file


@pytest.fixture(params=[True, False], ids=["self-signed", "no TLS"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, bool]]:
    """The address of a server, and whether it speaks TLS."""
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    if request.param:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", request.param
    server.shutdown()
    server.server_close()


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
