"""Checks a device's host key before anything secret is sent to the device."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sdk.connection.causes import Cause
from sdk.connection.errors import fail
from sdk.known_hosts import Found, KnownHosts, known_hosts

if TYPE_CHECKING:
    import paramiko  # type: ignore[import-untyped]  # ships no types

    from sdk.connection.login import Login

# One RSA key signs in three ways (RFC 8332).
_SIGNATURES: Final = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}


@dataclass(frozen=True, slots=True)
class HostKeyCheck:
    """Checks keys against those that the worker knows. `asked` is a policy; it counts if stricter than the worker's."""

    known: KnownHosts
    asked: str | None = None

    def prefer(self, login: Login, transport: Any) -> None:
        """Make a connection ask first for the types of key that the worker knows.

        Many devices have several keys. If the worker knows a device's RSA key, and the device showed its newer one, it
        would otherwise count as another device.
        """
        options = transport.get_security_options()
        known = [
            kind
            for key_type, _ in self.known.keys_of(login.host, login.port)
            for kind in _SIGNATURES.get(key_type, (key_type,))
        ]
        first = [kind for kind in dict.fromkeys(known) if kind in options.key_types]
        options.key_types = [*first, *(kind for kind in options.key_types if kind not in first)]

    def check(self, login: Login, key: paramiko.PKey) -> None:
        """Return if the key is right, or is accepted as the first one of the device.

        Raises:
            HostKeyChangedError: the worker knows another key of the device.
            HostKeyUnknownError: the worker knows no key of the device, and may accept only known ones.
        """
        shown = (str(key.get_name()), str(key.get_base64()))
        found = self.known.check(login.host, login.port, shown, self.asked)
        if found in (Found.KNOWN, Found.NEW):
            return
        known = self.known.keys_of(login.host, login.port)
        raise fail(
            Cause.HOST_KEY_CHANGED if found is Found.CHANGED else Cause.HOST_KEY_UNKNOWN,
            login.where,
            secrets=login.secrets,
            host=login.host,
            shown=_fingerprint(shown),
            known=", ".join(map(_fingerprint, known)),
        )


def check_for(host_keys: str | None = None) -> HostKeyCheck:
    """Return the object that checks the devices of this job.

    `host_keys` is `strict`, `accept-new` or `off`. It counts if it is stricter than the worker's own policy
    (`--host-keys`): a block can't allow what an operator has forbidden. Raises `ValueError` for another text.
    """
    known = known_hosts()
    known.policy.strictest(host_keys)
    return HostKeyCheck(known, host_keys)


def _fingerprint(key: tuple[str, str]) -> str:
    """A key in the form that people compare, and that `ssh-keygen -l` prints."""
    digest = hashlib.sha256(base64.b64decode(key[1])).digest()
    return f"{key[0]} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
