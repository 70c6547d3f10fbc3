"""Ids for entities that do not exist yet."""

from __future__ import annotations

import os

# Above the ids of the CMS, and inside a signed 32-bit integer, because its column holds that.
_LOWEST = 10_000_000
_LIMIT = 2**31

_given: set[int] = set()


def new_temporary_id() -> int:
    """A random id that this process has not given out before.

    The creates of one job can use it to refer to each other; the CMS replaces it.
    """
    while True:
        # Not the module `secrets`: it loads hashing, and would take a tenth of this package's import time.
        candidate = int.from_bytes(os.urandom(8)) % (_LIMIT - _LOWEST) + _LOWEST
        if candidate not in _given:
            _given.add(candidate)
            return candidate
