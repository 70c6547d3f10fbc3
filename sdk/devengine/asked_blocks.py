"""For which blocks each worker asks for jobs: a registration stays when its worker no longer has the block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ANOTHER_POLL_SECONDS: Final = 5.0
"""How long a block that is left out of a worker's polls counts as offered. It may have been restarted, and a block
whose own slots are full is left out until one of its jobs has ended."""


class AskedBlocks:
    """What the last polls said. In memory: of a worker that has not polled yet, nothing is known.

    All times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[Sequence[str], float]] = {}
        self._until: dict[tuple[str, str], float] = {}

    def asked(self, worker_id: str, blocks: Sequence[str], now: float) -> None:
        """Take note of a poll."""
        before = self._last.get(worker_id)
        if before is not None and before[0] != blocks:
            for gone in set(before[0]).difference(blocks):
                self._until[worker_id, gone] = before[1]
        self._last[worker_id] = blocks, now

    def ended(self, worker_id: str, block: str, now: float) -> None:
        """Take note that a worker has ended a job of this block: it may have been left out for that job."""
        self._until[worker_id, block] = now

    def has_stopped(self, worker_id: str, block: str, now: float) -> bool:
        """Whether this worker polls, and has not asked for this block for a while."""
        last = self._last.get(worker_id)
        if last is None or block in last[0]:
            return False
        until = self._until.get((worker_id, block))
        return until is None or now - until > ANOTHER_POLL_SECONDS
