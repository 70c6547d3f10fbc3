"""How much of a processor each job uses, from the worker's answers of the last seconds."""

from collections import deque
from typing import Final

from supervisor.commands.top.snapshot import Snapshot

WINDOW_SECONDS: Final = 4.0
"""Longer than the time between two looks of the worker at a job: in a shorter window, a busy job would seem idle and
then twice as busy."""


class CpuShares:
    """Remembers the processor time of each job. `add` each answer, then ask for the shares."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, float]]] = {}

    def add(self, now: float, snapshot: Snapshot) -> None:
        """Add an answer that has come at `now`, in seconds of a clock that never jumps."""
        seen: dict[str, deque[tuple[float, float]]] = {}
        for job in snapshot.jobs:
            if job.cpu_seconds is None:
                continue
            points = seen[job.job_id] = self._seen.get(job.job_id, deque())
            points.append((now, job.cpu_seconds))
            while len(points) > 2 and points[1][0] <= now - WINDOW_SECONDS:
                points.popleft()
        self._seen = seen

    def share_of(self, job_id: str) -> float | None:
        """Return how many processors a job uses, `None` as long as this is not known."""
        points = self._seen.get(job_id)
        if not points or points[-1][0] - points[0][0] < 1:
            return None
        (began, before), (ended, after) = points[0], points[-1]
        return max(0.0, after - before) / (ended - began)
