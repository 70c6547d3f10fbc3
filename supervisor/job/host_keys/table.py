"""Which host keys are known, and whether a reported one is kept. In memory, without I/O."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.known_hosts_file import KnownHostsText, Line
from supervisor.job.host_keys.public_key import PublicKey

MOST_KEPT: Final = 100_000
"""The most keys: each further key means writing the whole file again."""


class Decision(StrEnum):
    """What happens to a key that a job has reported."""

    KEPT = "kept"
    KNOWN = "known"
    ANOTHER_IS_KNOWN = "another key of this device is known"
    FOREIGN = "no device of this job, and no jump host of one, has this address and port"
    NO_KEY = "it is no public key"
    NOT_ASKED_FOR = "the worker keeps no keys that it sees first"
    FULL = "too many are kept already"


class Known:
    """The content of a file, ready for look-ups."""

    def __init__(self, text: KnownHostsText | None = None) -> None:
        self.count = len(text.lines) if text else 0
        self._plain: dict[str, list[PublicKey]] = {}
        self._others: list[Line] = []
        self._found: dict[Endpoint, list[PublicKey]] = {}
        for line in text.lines if text else ():
            if not line.is_plain:
                self._others.append(line)
                continue
            for name in line.names:
                self._plain.setdefault(name, []).append(line.key)

    def unsought(self, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
        """Return the endpoints for which a search must try every pattern and every hashed name."""
        return [each for each in endpoints if each not in self._found] if self._others else []

    def search(self, endpoints: Iterable[Endpoint]) -> None:
        """Try them, and remember what was found. May be called in any thread."""
        for endpoint in endpoints:
            self._found[endpoint] = [line.key for line in self._others if line.matches(endpoint)]

    def keys_of(self, endpoint: Endpoint) -> tuple[PublicKey, ...]:
        """Return the keys of an endpoint."""
        if self._others and endpoint not in self._found:
            self.search([endpoint])
        return (*self._plain.get(endpoint.name, ()), *self._found.get(endpoint, ()))


class Table:
    """The operator's keys and the kept ones. One thread uses it."""

    def __init__(self) -> None:
        self.given = Known()
        """The operator's keys."""
        self.kept = Known()
        """The keys in the worker's own file."""
        self._fresh: dict[Endpoint, PublicKey] = {}

    def take_kept(self, kept: Known, unwritten: Iterable[tuple[Endpoint, PublicKey]]) -> None:
        """From now on, use these as the kept keys, with those of `unwritten` whose endpoints have no key in them."""
        self.kept = kept
        self._fresh = {endpoint: key for endpoint, key in unwritten if not kept.keys_of(endpoint)}

    def keys_of(self, endpoint: Endpoint) -> tuple[PublicKey, ...]:
        """Return the keys that an endpoint may show; none if it is not known.

        If the operator gave one, the kept ones do not count: the operator may want to correct them.
        """
        if found := self.given.keys_of(endpoint) or self.kept.keys_of(endpoint):
            return found
        fresh = self._fresh.get(endpoint)
        return () if fresh is None else (fresh,)

    def keys_among(self, endpoints: Iterable[Endpoint]) -> list[tuple[Endpoint, PublicKey]]:
        """Return the keys that each of these endpoints may show, in order."""
        if not (self.given.count or self.kept.count or self._fresh):
            return []  # for thousands of devices, looking up each took longer than searching their passwords
        return [(endpoint, key) for endpoint in endpoints for key in self.keys_of(endpoint)]

    def decide(
        self, endpoint: Endpoint, key: PublicKey | None, endpoints: Collection[Endpoint], policy: str
    ) -> Decision:
        """Decide about a reported key, and keep it if so. `endpoints` are those of the job's devices."""
        if endpoint not in endpoints:
            return Decision.FOREIGN
        if key is None:
            return Decision.NO_KEY
        if known := self.keys_of(endpoint):
            return Decision.KNOWN if key in known else Decision.ANOTHER_IS_KNOWN
        if policy != "accept-new":
            return Decision.NOT_ASKED_FOR
        if self.kept.count + len(self._fresh) >= MOST_KEPT:
            return Decision.FULL
        self._fresh[endpoint] = key
        return Decision.KEPT
