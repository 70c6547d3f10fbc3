"""A clock that goes on when somebody sleeps: pauses of a second take none, and none depends on the machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

LONGEST_SECONDS = 1000.0


class VirtualTime:
    """Stands for `asyncio` in one module: `sleep`, `timeout_at` and the loop's `time` are virtual, all else is real."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        """Let the time pass and others go on."""
        self.now += seconds
        assert self.now < LONGEST_SECONDS, "what was waited for does not come"
        await asyncio.sleep(0)

    @contextlib.asynccontextmanager
    async def timeout_at(self, when: float | None) -> AsyncIterator[None]:
        """Let others go on for a moment, and then the time pass, if what is awaited has not come."""
        try:
            async with asyncio.timeout(None if when is None else 0):
                yield
        except TimeoutError:
            assert when is not None
            self.now = max(self.now, when)
            assert self.now < LONGEST_SECONDS, "what was waited for does not come"
            raise

    def get_running_loop(self) -> "_Loop":
        """Return the loop, with this clock."""
        return _Loop(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


class _Loop:
    def __init__(self, clock: VirtualTime) -> None:
        self._clock = clock

    def time(self) -> float:
        """Return the virtual time."""
        return self._clock.now

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio.get_running_loop(), name)
