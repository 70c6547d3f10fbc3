"""A public key in the form of SSH and known-hosts files. Pure."""

import base64
import binascii
import hashlib
from typing import Final, NamedTuple

MOST_CHARS: Final = 4096
"""The cap of a key in Base64: an RSA key with 16,384 bits has 2,800."""

TYPES: Final = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ssh-dss",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)


class PublicKey(NamedTuple):
    """A host key. `text` is the key in Base64, same as the third field of a line."""

    type: str
    text: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint that people compare, as `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(base64.b64decode(self.text)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        """The key in the form for messages."""
        return f"{self.type} {self.fingerprint}"


def public_key_of(key_type: str, text: str) -> PublicKey | None:
    """Return the key, `None` if it is invalid: a key begins with its own type (RFC 4253, section 6.6)."""
    if key_type not in TYPES or len(text) > MOST_CHARS:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    name = key_type.encode()
    if data[:4] != len(name).to_bytes(4) or data[4 : 4 + len(name)] != name or len(data) <= 4 + len(name):
        return None
    # Encoded again: two different texts may decode to the same key, and would not look equal.
    return PublicKey(key_type, base64.b64encode(data).decode())
