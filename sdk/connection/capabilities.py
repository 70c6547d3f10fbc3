"""What a platform can do. `connect(device, needs=(Execution, Information))` asks for it before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable


class Execution:
    """Sends commands and returns their outputs."""


class Configuration:
    """Plans, applies and undoes changes, and saves them."""


class Information:
    """Reads facts, configuration, interfaces, neighbors and routes, as data in one form for all platforms."""


def missing(capabilities: Iterable[type], needs: Iterable[type]) -> list[str]:
    """Return the names of the needed capabilities that are missing, in the order of `needs`."""
    there = frozenset(capabilities)
    return [need.__name__ for need in needs if need not in there]
