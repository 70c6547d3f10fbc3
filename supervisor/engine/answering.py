"""Whether the engine answers: what one part of the worker hears of it, another may be waiting for.

A request that gets no answer for a while may be on its way, or lost. It tells nothing that it is late; that a request
which was sent later is answered tells a lot.
"""

import asyncio
import math
from collections.abc import Callable


class Answering:
    """Keeps when the request was sent that was answered last. All times are seconds of the loop's clock."""

    def __init__(self) -> None:
        self.doubted = asyncio.Event()
        """Set while somebody waits for an answer, so that the heartbeat asks for one."""
        self._sent = -math.inf
        self._waiting: dict[object, Callable[[], None]] = {}

    def answered(self, sent_at: float) -> None:
        """Note that the engine has answered a request that was sent at `sent_at`, whatever it said."""
        self._sent = max(self._sent, sent_at)
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            self.doubted.clear()
            # Who has sent that request gets its answer in this turn of the loop, and has to make use of it first.
            for tell in waiting.values():
                asyncio.get_running_loop().call_soon(tell)

    def since(self, sent_at: float) -> bool:
        """Whether a request was answered that was sent after `sent_at`."""
        return self._sent > sent_at

    def doubt(self, who: object, tell: Callable[[], None]) -> None:
        """Have `tell` called once, in the turn of the loop after the next answer. Again by the same `who` is once."""
        self._waiting[who] = tell
        self.doubted.set()

    def trust(self, who: object) -> None:
        """Do not wait any more."""
        self._waiting.pop(who, None)
        if not self._waiting:
            self.doubted.clear()
