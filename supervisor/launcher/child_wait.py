"""A wait for a child that is on its way."""

import asyncio
from dataclasses import dataclass

from supervisor.launcher.child import Child
from supervisor.process.time_limit import TimeLimit


@dataclass(slots=True, eq=False)
class ChildWait:
    """Somebody who waits for a child. Times are the loop's."""

    child: asyncio.Future[Child]
    asked_at: float
    longest_seconds: float
    timeout: TimeLimit | None = None
    generation: int = 0
    """The generation of the child that it got: see `SparePool.renew`."""

    def give(self, child: Child, generation: int) -> None:
        """End the wait. The waiter may get a time-out or a cancellation before its next turn: see `given`."""
        self.generation = generation
        self.child.set_result(child)

    @property
    def given(self) -> Child | None:
        """The child that it got, if any."""
        return self.child.result() if self.child.done() and not self.child.cancelled() else None
