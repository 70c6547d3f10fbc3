"""The tries of a result that are on their way, and when one of them counts as late. Pure.

A try that is late is not given up: its answer may still come, and the engine may only be slow. Another one goes out
beside it, over a new connection, once the engine has answered something that was sent later. The engine keeps the
first that arrives, and answers the other with 409.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from supervisor.worker.outbox import Item

LATE_SECONDS: Final = 2.0
"""When the first try is late. The engine answers within milliseconds (engine contract: results)."""

LATE_AGAIN_SECONDS: Final = 4.0
"""When each further one is: an engine that is only slow must not get ever more of the same."""

SLOWEST_BYTES_PER_SECOND: Final = 256 * 1024
"""A large result may take its time on a slow line: a second copy beside it would only make both slower."""


@dataclass(slots=True, eq=False)
class Tries:
    """Those of one result. `sent_at` is when the newest was sent, in seconds of the loop's clock."""

    item: Item
    size_bytes: int
    sent_at: float = 0.0
    count: int = 0
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def is_late(self, now: float) -> bool:
        """Whether the newest has waited for its answer for too long."""
        patience = LATE_SECONDS if self.count <= 1 else LATE_AGAIN_SECONDS
        return now - self.sent_at >= patience + self.size_bytes / SLOWEST_BYTES_PER_SECOND
