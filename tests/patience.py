"""How long a test waits for what must come, before it calls it missing; and the waiting itself."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS: Final = 120.0
"""Long enough for a machine that is ten times slower: it costs nothing where all is well. A test as a whole has more
(`timeout` in pyproject.toml), so that it fails with the condition that did not come true."""

_LOOK_SECONDS: Final = 0.005


async def until(
    check: Callable[[], T | None], what: str = "the condition is true", seconds: float = PATIENCE_SECONDS
) -> T:
    """Wait until `check` returns something true, and return it. The loop is free meanwhile."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(_LOOK_SECONDS)
    return found


def wait_until(
    check: Callable[[], T | None],
    what: str | Callable[[], str] = "the condition is true",
    seconds: float = PATIENCE_SECONDS,
) -> T:
    """Wait until `check` returns something true, and return it. No loop runs meanwhile."""
    end = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(_LOOK_SECONDS)
    return found
