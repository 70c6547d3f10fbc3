"""Which host keys are known, and whether one that a job reports is kept. In memory, without I/O."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final

from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.known_hosts_file import KnownHostsText, Line
from supervisor.job.host_keys.public_key import PublicKey

MOST_KEPT: Final = 100_000
"""Keys: the file is written anew with each further one."""


class Decision(StrEnum):
    """What becomes of a key that a job has reported."""

    KEPT = "kept"
    KNOWN = "known"
    ANOTHER_IS_KNOWN = "another key of this device is known"
    FOREIGN = "no device of this job, and no jump host of one, has this address and port"
    NO_KEY = "it is no public key"
    NOT_ASKED_FOR = "the worker keeps no keys that it sees first"
    FULL = "too many are kept already"


class Known:
    """What a file says, ready to be looked up."""

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
        """Return the endpoints for which a search has to try every pattern and every hashed name."""
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
    """The keys that an operator gave and those that were kept. Used by one thread."""

    def __init__(self) -> None:
        self.given = Known()
        """The operator's."""
        self.kept = Known()
        """Those in the worker's own file."""
        self._fresh: dict[Endpoint, PublicKey] = {}

    def take_kept(self, kept: Known, unwritten: Iterable[tuple[Endpoint, PublicKey]]) -> None:
        """Have these be the kept ones from now on, and of `unwritten` those whose endpoints they do not have."""
        self.kept = kept
        self._fresh = {endpoint: key for endpoint, key in unwritten if not kept.keys_of(endpoint)}

    def keys_of(self, endpoint: Endpoint) -> tuple[PublicKey, ...]:
        """Return the keys that an endpoint may show; none for one that is not known.

        Where the operator gave one, those that were kept do not count: they may be what is to be corrected.
        """
        if found := self.given.keys_of(endpoint) or self.kept.keys_of(endpoint):
            return found
        fresh = self._fresh.get(endpoint)
        return () if fresh is None else (fresh,)

    def keys_among(self, endpoints: Iterable[Endpoint]) -> list[tuple[Endpoint, PublicKey]]:
        """Return the keys that each of these endpoints may show, in turn."""
        if not (self.given.count or self.kept.count or self._fresh):
            return []  # of thousands of devices, to look up each took longer than their passwords do
        return [(endpoint, key) for endpoint in endpoints for key in self.keys_of(endpoint)]

    def decide(
        self, endpoint: Endpoint, key: PublicKey | None, endpoints: Collection[Endpoint], policy: str
    ) -> Decision:
        """Say what becomes of a key that a job has reported whose devices have these endpoints, and keep it if so."""
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
