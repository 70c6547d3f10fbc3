"""Whether the engine answers: one part of the worker hears an answer, another part may be waiting for one.

A request that gets no answer for a while may be on its way, or lost. Its delay alone does not show which. But if the
engine answers a request that was sent later, the first one is probably lost.
"""

import asyncio
import math
from collections.abc import Callable


class Answering:
    """Keeps the time when the last answered request was sent. All times are seconds of the loop's clock."""

    def __init__(self) -> None:
        self.doubted = asyncio.Event()
        """Set while somebody waits for an answer. The heartbeat then asks for one."""
        self._sent = -math.inf
        self._waiting: dict[object, Callable[[], None]] = {}

    def answered(self, sent_at: float) -> None:
        """Note that the engine has answered a request that was sent at `sent_at`, whatever the answer was."""
        self._sent = max(self._sent, sent_at)
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            self.doubted.clear()
            # The sender of that request gets its answer in this turn of the loop, and must use it first.
            for tell in waiting.values():
                asyncio.get_running_loop().call_soon(tell)

    def since(self, sent_at: float) -> bool:
        """Whether the engine has answered a request that was sent after `sent_at`."""
        return self._sent > sent_at

    def doubt(self, who: object, tell: Callable[[], None]) -> None:
        """Call `tell` once, in the loop's turn after the next answer. A later call by the same `who` replaces it."""
        self._waiting[who] = tell
        self.doubted.set()

    def trust(self, who: object) -> None:
        """Stop waiting."""
        self._waiting.pop(who, None)
        if not self._waiting:
            self.doubted.clear()
