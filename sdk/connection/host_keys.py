"""Whether a device's host key is the right one, before anything secret is sent to it."""

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

# One key of RSA signs in three ways (RFC 8332).
_SIGNATURES: Final = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}


@dataclass(frozen=True, slots=True)
class HostKeyCheck:
    """Checks by what the worker knows. `asked` is a policy that counts where it is stricter than the worker's."""

    known: KnownHosts
    asked: str | None = None

    def prefer(self, login: Login, transport: Any) -> None:
        """Have a connection ask for the types of key that are known, first.

        Many devices have several. Without it, one whose key of RSA is known would be taken for another device once it
        shows its newer one.
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
        """Return where the key is right, or is accepted as the first one.

        Raises:
            HostKeyChangedError: another one is known.
            HostKeyUnknownError: none is known, and only those that are will do.
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
    """Return what checks the devices of this job.

    `host_keys` is `strict`, `accept-new` or `off`. It counts where it is stricter than the worker's own policy
    (`--host-keys`): what an operator has forbidden, a block can't allow. Raises `ValueError` for another text.
    """
    known = known_hosts()
    known.policy.strictest(host_keys)
    return HostKeyCheck(known, host_keys)


def _fingerprint(key: tuple[str, str]) -> str:
    """A key as people compare it, and `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(base64.b64decode(key[1])).digest()
    return f"{key[0]} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"
