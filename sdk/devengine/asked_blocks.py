"""The blocks for which each worker asks for jobs: a registration stays when its worker no longer has the block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ANOTHER_POLL_SECONDS: Final = 5.0
"""How long a block counts as offered after its worker stops polling for it. The worker may be restarting. And if all
slots of a block are in use, the worker polls for it again only when one of its jobs has ended."""


class AskedBlocks:
    """What the last polls said, in memory only: nothing is known about a worker that has not polled yet.

    All times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[Sequence[str], float]] = {}
        self._until: dict[tuple[str, str], float] = {}

    def asked(self, worker_id: str, blocks: Sequence[str], now: float) -> None:
        """Record a poll."""
        before = self._last.get(worker_id)
        if before is not None and before[0] != blocks:
            for gone in set(before[0]).difference(blocks):
                self._until[worker_id, gone] = before[1]
        self._last[worker_id] = blocks, now

    def ended(self, worker_id: str, block: str, now: float) -> None:
        """Record that a worker has ended a job of this block: it may have stopped polling for it because of the job."""
        self._until[worker_id, block] = now

    def has_stopped(self, worker_id: str, block: str, now: float) -> bool:
        """Whether this worker polls, but has not asked for this block for a while."""
        last = self._last.get(worker_id)
        if last is None or block in last[0]:
            return False
        until = self._until.get((worker_id, block))
        return until is None or now - until > ANOTHER_POLL_SECONDS
