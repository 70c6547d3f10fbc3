"""The host keys that a job knows: the keys that its caller gives, and the first keys that its devices show.

`sdk.connection.host_keys` checks devices with them. This module imports no SSH library: the job runner fills it for
every job, and most jobs connect to nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from enum import StrEnum


class HostKeyPolicy(StrEnum):
    """What to do with a device whose host key is unknown. A known key is always checked, except with `off`."""

    STRICT = "strict"
    """The device is refused."""
    ACCEPT_NEW = "accept-new"
    """The first key that the device shows counts as its key from then on."""
    OFF = "off"
    """Any key is accepted, even if another one is known."""

    def strictest(self, other: str | None) -> HostKeyPolicy:
        """The stricter of the two; this one if `other` is None. Raises `ValueError` for a text that is no policy."""
        if other is None:
            return self
        order = tuple(HostKeyPolicy)
        return min(self, HostKeyPolicy(other), key=order.index)


class Found(StrEnum):
    """The result of the check of a device's key."""

    KNOWN = "known"
    NEW = "new"
    UNKNOWN = "unknown"
    CHANGED = "changed"


Key = tuple[str, str]
"""The key's type, such as `ssh-ed25519`, and the key in Base64."""

Report = Callable[[str, int, str, str], None]


def report_to_nobody(host: str, port: int, key_type: str, key: str) -> None:
    """For callers that keep no keys: a notebook, a test."""


class KnownHosts:
    """The known keys by address and port. Several threads may use it.

    Args:
        policy: for devices with an unknown key.
        keys: address or name, port, type and key of each.
        report: called once for each key that was accepted. It must not raise.
    """

    def __init__(
        self,
        policy: str = HostKeyPolicy.ACCEPT_NEW,
        keys: Iterable[tuple[str, int, str, str]] = (),
        report: Report = report_to_nobody,
    ) -> None:
        self.policy = HostKeyPolicy(policy)
        self._report = report
        self._lock = threading.Lock()
        self._keys: dict[tuple[str, int], list[Key]] = {}
        for host, port, key_type, key in keys:
            self._keys.setdefault((host.lower(), port), []).append((key_type, key))

    def keys_of(self, host: str, port: int) -> tuple[Key, ...]:
        """The known keys of a device; none if it is unknown."""
        return tuple(self._keys.get((host.lower(), port), ()))

    def check(self, host: str, port: int, key: Key, asked: str | None = None) -> Found:
        """Compare a device's key with its known keys. Under `accept-new`, remember a first key from now on.

        `asked` is another policy; it counts if it is stricter. A key of another type than the known ones counts as
        changed: otherwise an attacker in between would only have to show a type that is not known yet.
        """
        policy = self.policy.strictest(asked)
        if policy is HostKeyPolicy.OFF:
            return Found.KNOWN
        with self._lock:
            if known := self.keys_of(host, port):
                return Found.KNOWN if key in known else Found.CHANGED
            if policy is HostKeyPolicy.STRICT:
                return Found.UNKNOWN
            self._keys[host.lower(), port] = [key]
        self._report(host.lower(), port, *key)
        return Found.NEW


_in_force = KnownHosts()


def use_known_hosts(known: KnownHosts) -> None:
    """Make this process check with these keys from now on."""
    global _in_force
    _in_force = known


def known_hosts() -> KnownHosts:
    """The keys of this process. Without a job runner it knows none, and accepts the first key of each device."""
    return _in_force
