"""The results that the engine does not have yet, and whether they are too many. Pure, except for the log."""

import logging
from collections.abc import Collection
from typing import Final

from supervisor.journal import StoredResult
from supervisor.log.event import tell
from supervisor.log.events.results import PollsHeldBack, PollsLetGo

_log = logging.getLogger(__name__)

MOST_RESULTS: Final = 1000
MOST_BYTES: Final = 128 * 2**20
"""The most results that may wait, and their size, before the worker stops polling: an engine that hands out jobs and
takes no results must not fill this machine's memory. Polling goes on when half of it is gone."""


class WaitingResults:
    """By number and by job; a job may have more than one, because an earlier try's result may still wait."""

    def __init__(self) -> None:
        self.are_too_many = False
        """Whether the worker should stop polling."""
        self._results: dict[int, StoredResult] = {}
        self._numbers: dict[str, set[int]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._results)

    def __getitem__(self, number: int) -> StoredResult:
        return self._results[number]

    def add(self, result: StoredResult) -> None:
        """Add one."""
        self._results[result.number] = result
        self._numbers.setdefault(result.job_id, set()).add(result.number)
        self._bytes += len(result.text)
        if not self.are_too_many and (len(self) >= MOST_RESULTS or self._bytes >= MOST_BYTES):
            self.are_too_many = True
            tell(_log, PollsHeldBack(results=len(self), megabytes=self._bytes // 2**20))

    def remove(self, number: int) -> None:
        """Remove one, if it is there."""
        result = self._results.pop(number, None)
        if result is None:
            return
        self._bytes -= len(result.text)
        numbers = self._numbers[result.job_id]
        numbers.remove(number)
        if not numbers:
            del self._numbers[result.job_id]
        if self.are_too_many and len(self) <= MOST_RESULTS // 2 and self._bytes <= MOST_BYTES // 2:
            self.are_too_many = False
            tell(_log, PollsLetGo(results=len(self)))

    def of_jobs(self, job_ids: Collection[str]) -> list[int]:
        """Return the numbers of these jobs' results."""
        return [number for job_id in job_ids for number in self._numbers.get(job_id, ())]
