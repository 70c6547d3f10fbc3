"""An event loop whose clock jumps: what waits for hours takes no time, and a pause can be told to the second."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

START = 1000.0


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Where nothing is left to do but to wait, it is later at once. For code without threads and without sockets."""

    def __init__(self) -> None:
        super().__init__()
        self._now = START
        self._real_select = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._select  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which this loop does not get to run."""
        self._now += seconds

    def _select(self, timeout: float | None) -> Any:
        events = self._real_select(0)
        if not events:
            assert timeout is not None, "everything waits for something that never comes"
            self._now += timeout
        return events


def simulate(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end on such a loop."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)


def elapsed() -> float:
    """Return how much time has passed since the beginning."""
    return asyncio.get_running_loop().time() - START


def stand_still(seconds: float) -> None:
    """See `SimulatedLoop.stand_still`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    loop.stand_still(seconds)


async def turns(count: int = 20) -> None:
    """Let the loop go round, without any time passing."""
    for _ in range(count):
        await asyncio.sleep(0)
