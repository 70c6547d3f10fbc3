"""The host keys that a job knows: given by whoever runs it, and those that its devices show first.

`sdk.connection.host_keys` checks devices against them. This module imports no SSH library: the job runner fills it for
every job, and most jobs connect to nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from enum import StrEnum


class HostKeyPolicy(StrEnum):
    """What is done with a device whose host key is not known. A known one is checked in each case but `off`."""

    STRICT = "strict"
    """It is refused."""
    ACCEPT_NEW = "accept-new"
    """The first key that it shows is taken for its own from then on."""
    OFF = "off"
    """Any key will do, also where another one is known."""

    def strictest(self, other: str | None) -> HostKeyPolicy:
        """The stricter of the two; this one where there is no other. Raises `ValueError` for what is no policy."""
        if other is None:
            return self
        order = tuple(HostKeyPolicy)
        return min(self, HostKeyPolicy(other), key=order.index)


class Found(StrEnum):
    """What a device's key turned out to be."""

    KNOWN = "known"
    NEW = "new"
    UNKNOWN = "unknown"
    CHANGED = "changed"


Key = tuple[str, str]
"""The key's type, such as `ssh-ed25519`, and the key in Base64."""

Report = Callable[[str, int, str, str], None]


def report_to_nobody(host: str, port: int, key_type: str, key: str) -> None:
    """Where nobody keeps keys: a notebook, a test."""


class KnownHosts:
    """The known keys by address and port. May be used by several threads.

    Args:
        policy: for devices whose key is not known.
        keys: address or name, port, type and key of each.
        report: is told of each key that was taken, once. It must not raise.
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
        """The known keys of a device, none for one that is not known."""
        return tuple(self._keys.get((host.lower(), port), ()))

    def check(self, host: str, port: int, key: Key, asked: str | None = None) -> Found:
        """Compare what a device has shown with what is known of it; under `accept-new`, know it from now on.

        `asked` is another policy, which counts where it is stricter. A key of another type than those that are known
        is a changed one: else whoever stands between would only have to show a type that is not known yet.
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
    """Have this process check by these from now on."""
    global _in_force
    _in_force = known


def known_hosts() -> KnownHosts:
    """What this process checks by. Without a job runner: it knows nothing, and takes the first key of each device."""
    return _in_force
