"""Looks at the worker's parts, on its loop, once a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supervisor.worker.health.snapshot import Counts, Snapshot
from supervisor.worker.readiness import why_not_ready

if TYPE_CHECKING:
    from supervisor.worker.parts import Parts
    from supervisor.worker.progress import Progress

MANY_CLAIMS: Final = 1000
MANY_LOOKS: Final = 15
"""Counting that many claims takes a millisecond: then it is done only at every so many looks."""


class Looks:
    """Makes the snapshots."""

    def __init__(self, parts: Parts, progress: Progress) -> None:
        self._parts = parts
        self._progress = progress
        self._claims = self._dead_letters = 0
        self._looks = 0

    def look(self, now: float) -> Snapshot:
        """Return the worker's state at `now`, in seconds of the monotonic clock."""
        parts = self._parts
        if self._claims < MANY_CLAIMS or self._looks % MANY_LOOKS == 0:
            self._claims, self._dead_letters = parts.journal.count()
        self._looks += 1
        counts = Counts(
            slots=parts.dispatcher.slots,
            slots_taken=parts.dispatcher.slots_taken,
            jobs=parts.dispatcher.busy,
            spares=parts.runner.spares_ready,
            results_waiting=parts.delivery.waiting,
            journal_claims=self._claims,
            dead_letters=self._dead_letters,
            journal_in_trouble=parts.journal.is_in_trouble,
        )
        late = tuple(map(str, self._progress.late))
        return Snapshot(now, why_not_ready(parts.readiness), late, counts)
