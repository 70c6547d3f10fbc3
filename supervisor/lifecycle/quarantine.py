"""Jobs that kill their process each time: counted, and refused for a while, so that they do no more harm.

Each retry of a crashing job costs a slot, a child and a place in the queue, for nothing.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from supervisor.verdict import Cause, Ending
from supervisor.verdict.refusals import Quarantined

DEATHS: Final = 3
"""So many deaths of the same job begin a quarantine."""

QUARANTINE_SECONDS: Final = 3600.0
"""How long it lasts. Older deaths are forgotten too."""

MOST_JOBS: Final = 1000
"""Deaths of so many different jobs are remembered. If there are more, the job with the oldest death is forgotten."""

DEADLY: Final = frozenset({Cause.CRASHED, Cause.EXITED, Cause.MEMORY_LIMIT})
"""The causes that count. Not what this worker does to a job, and not a time limit: a device may have been slow."""


@dataclass(frozen=True, slots=True)
class JobFingerprint:
    """What makes two jobs the same work. `digest` is the keyed digest of the parameters."""

    block_id: str
    job_type: str
    entity_id: int | float | None
    digest: str


@dataclass(slots=True)
class _Record:
    deaths: list[tuple[float, str]] = field(default_factory=list)
    until: float | None = None


class Quarantine:
    """Remembers deaths. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._records: OrderedDict[JobFingerprint, _Record] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def refusal(self, job: JobFingerprint, at: float) -> Quarantined | None:
        """Return why `job` must not be run now, or `None`."""
        record = self._records.get(job)
        if record is None or record.until is None:
            return None
        if at >= record.until:
            del self._records[job]
            return None
        return Quarantined(tuple(text for _, text in record.deaths), record.until - at)

    def ended(self, job: JobFingerprint, cause: Cause, how: str, at: float) -> Quarantined | None:
        """Note an end. Returns the quarantine that begins with it, if one does.

        A success clears the count. Nothing else does: a time limit, for example, says nothing about earlier deaths.
        """
        if cause is Cause.COMPLETED:
            self._records.pop(job, None)
        if cause not in DEADLY:
            return None
        record = self._records.setdefault(job, _Record())
        self._records.move_to_end(job)
        self._forget_old(at)
        if record.until is not None:  # it was already running when the quarantine began
            return None
        record.deaths = [death for death in record.deaths if death[0] > at - QUARANTINE_SECONDS]
        record.deaths.append((at, how))
        if len(record.deaths) < DEATHS:
            return None
        record.until = at + QUARANTINE_SECONDS
        return self.refusal(job, at)

    def _forget_old(self, at: float) -> None:
        while len(self._records) > 1:
            record = next(iter(self._records.values()))
            old = not record.deaths or record.deaths[-1][0] <= at - QUARANTINE_SECONDS
            if not old and len(self._records) <= MOST_JOBS:
                return
            self._records.popitem(last=False)


def crash_summary(cause: Cause, ending: Ending) -> str:
    """Say in a few words how a process died."""
    return "too much memory" if cause is Cause.MEMORY_LIMIT else str(ending.exit_status)
