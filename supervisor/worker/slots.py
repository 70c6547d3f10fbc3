"""The slots of a worker, and the claimed jobs that wait for one.

Jobs begin in the order in which they came; jobs whose block is full are skipped.
"""

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from jobrunner.protocol.catalogue import BlockEntry, Catalogue
from supervisor.lifecycle.block_slots import may_begin, to_ask_for, wanting_a_slot
from supervisor.log.event import tell
from supervisor.log.events.jobs import JobWaits
from supervisor.worker.claimed_jobs import ClaimedJob

_log = logging.getLogger(__name__)


class Slots:
    """Slots by their numbers: gives out the lowest free one.

    `count` is how many there are, without those that are set aside for a job that can't be killed.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = list(range(count))  # a heap

    def take(self) -> int:
        """Return the number of a free slot. There must be one."""
        return heapq.heappop(self._free)

    def give_back(self, slot: int) -> None:
        """A slot is free again."""
        heapq.heappush(self._free, slot)

    def set_aside(self) -> None:
        """A slot that was taken can't be used: a process of its job is still there."""
        self.count -= 1

    def take_up(self, slot: int) -> None:
        """A slot that was set aside can be used again."""
        self.count += 1
        self.give_back(slot)


class WaitingJobs:
    """Keeps jobs until they begin, or until their time is up: then `expire` is called with each."""

    def __init__(self, catalogue: Catalogue, expire: Callable[[ClaimedJob], None]) -> None:
        self._expire = expire
        self._jobs: list[ClaimedJob] = []
        self._running: Counter[str] = Counter()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._most: dict[str, int] = {}
        self.offer(catalogue)

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[ClaimedJob]:
        return iter(self._jobs)

    def offer(self, catalogue: Catalogue) -> None:
        """From now on, apply the limits of these blocks."""
        self._most = {
            block.id: block.max_concurrent for block in catalogue.blocks if block.max_concurrent is not None
        }

    def append(self, claimed: ClaimedJob) -> None:
        """Let a job wait."""
        self._jobs.append(claimed)

    def remove(self, claimed: ClaimedJob) -> None:
        """Stop a job's wait. Raises `ValueError` if it does not wait."""
        self._jobs.remove(claimed)
        if timer := self._timers.pop(claimed.job.job_id, None):
            timer.cancel()

    def take(self) -> ClaimedJob | None:
        """Return the next job that may begin, or `None`. From now on it counts as running."""
        for claimed in self._jobs:
            if may_begin(claimed.job.block_id, most=self._most, running=self._running):
                self.remove(claimed)
                self._running[claimed.job.block_id] += 1
                return claimed
        return None

    def ended(self, claimed: ClaimedJob) -> None:
        """A job that was taken does not run any more."""
        self._running[claimed.job.block_id] -= 1
        if not self._running[claimed.job.block_id]:
            del self._running[claimed.job.block_id]

    @property
    def wanting_a_slot(self) -> int:
        """How many wait for a slot of the worker. Jobs whose block is full take no slot from others."""
        if not self._most or not self._jobs:
            return len(self._jobs)
        ids = [claimed.job.block_id for claimed in self._jobs]
        return wanting_a_slot(ids, most=self._most, running=self._running)

    def takes_any_slot(self, claimed: ClaimedJob) -> bool:
        """Whether a job's block has no limit of its own."""
        return claimed.job.block_id not in self._most

    def full_for(self, claimed: ClaimedJob) -> int | None:
        """Return how many jobs of a job's block may run, if the job waits for one of these to end, otherwise `None`."""
        block = claimed.job.block_id
        is_full = not may_begin(block, most=self._most, running=self._running)
        return self._most[block] if is_full else None

    def to_ask_for(
        self, blocks: Sequence[BlockEntry], free: int, covered: int
    ) -> tuple[Sequence[BlockEntry], int]:
        """Return which of these blocks a poll may ask for, and for how many jobs (`lifecycle.block_slots`)."""
        if not self._most:
            return blocks, free
        taken = self._running + Counter(claimed.job.block_id for claimed in self._jobs)
        return to_ask_for(blocks, free, most=self._most, taken=taken, covered=covered)

    def must_begin_within(self, claimed: ClaimedJob, seconds: float) -> None:
        """Let a job expire that still waits after `seconds`. Log it if its block is full. A second call is ignored."""
        job = claimed.job
        if job.job_id in self._timers:
            return
        loop = asyncio.get_running_loop()
        self._timers[job.job_id] = loop.call_later(max(0.0, seconds), self._is_late, claimed)
        if most := self.full_for(claimed):
            tell(_log, JobWaits(job=job.job_id, block=job.block_id, max_concurrent=most))

    def _is_late(self, claimed: ClaimedJob) -> None:
        self.remove(claimed)
        self._expire(claimed)
