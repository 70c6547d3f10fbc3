"""The ended jobs of a worker: written to the disk beside the loop, found again, and dropped if the disk fails."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from supervisor.journal.ended_jobs.budget import WAITING_BYTES
from supervisor.journal.ended_jobs.ended_job import EndedJob, Summary
from supervisor.journal.ended_jobs.files import EndedJobFiles, Found, OpenedJob
from supervisor.journal.ended_jobs.index import Index
from supervisor.journal.ended_jobs.running_log import RunningLog
from supervisor.log.event import tell
from supervisor.log.events.ended_jobs import (
    EndedJobsDamaged,
    EndedJobsKeptAgain,
    EndedJobsNotKept,
)
from supervisor.process.disk_thread import DiskHangsError, DiskThread

_log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.2
"""How long an ended job waits for others: they are written together, and the thread is woken once for all."""

AGAIN_SECONDS: Final = 10.0
"""How long after a failure the worker tries the disk again: perhaps no job ends for hours."""

_GATHER_BYTES: Final = 2**20
_JOB_BYTES: Final = 2048
"""What a job counts besides its log and its result."""

_END_SECONDS: Final = 2.0
_MOST_NAMES: Final = 5


@dataclass(frozen=True, slots=True)
class _Waiting:
    job: EndedJob
    log: RunningLog | None
    result: bytes
    size_bytes: int


@dataclass(slots=True)
class _Written:
    """The result of writing some jobs, for the loop."""

    found: Found | None = None
    jobs: list[Summary] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    failed: int = 0
    error: OSError | None = None
    works: bool = False
    """Whether something was written."""


class EndedJobs:
    """Keeps the last `most_jobs` ended jobs in `directory`. See `supervisor.journal.ended_jobs.budget`.

    Nobody waits for the disk: jobs that end while it hangs, or that it refuses, are dropped and counted. Raises
    `StartRefusedError` if its thread can't be started.
    """

    def __init__(self, directory: Path, most_jobs: int) -> None:
        self.dropped = 0
        """How many jobs were dropped since the disk last took one."""
        self._files = EndedJobFiles(directory, most_jobs)
        self._index = Index()
        self._disk = DiskThread("ended jobs")
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._writing: asyncio.Future[_Written] | None = None
        self._being_written: Sequence[_Waiting] = ()
        self._timer: asyncio.TimerHandle | None = None
        self._is_open = False
        self._is_closing = False
        self._is_failing = False
        self._reason = ""
        self._dropped_bytes = 0
        self._again: asyncio.TimerHandle | None = None

    @property
    def problem(self) -> str | None:
        """A sentence that says that ended jobs are not kept now; `None` if they are."""
        if not self._is_failing:
            return None
        if not self.dropped:
            return f"the ended jobs of earlier runs can't be read in {self._path}: {self._reason}"
        return f"{self.dropped} ended job(s) could not be kept in {self._path}: {self._reason}"

    def begin(self) -> None:
        """Let the thread look for jobs that earlier runs have kept. Nobody waits for it."""
        self._write()

    def keep(self, job: EndedJob, log: RunningLog | None = None, result: bytes = b"") -> None:
        """Keep a job with its log and the masked data of its result. It can be found at once."""
        size = _JOB_BYTES + (log.lines.kept_bytes if log else 0) + len(result)
        if self._disk.hangs:
            self._drop(1, size, str(DiskHangsError(self._disk.limit_seconds).strerror))
        elif self._waiting_bytes + size > WAITING_BYTES:
            self._drop(1, size, f"more than {WAITING_BYTES // 2**20} MB wait for the disk")
        else:
            self._waiting.append(_Waiting(job, log, result, size))
            self._waiting_bytes += size
            self._gather()

    def find(self, job_id: str) -> bool:
        """Whether a job has ended and is kept."""
        return self.outcome_of(job_id) is not None

    def outcome_of(self, job_id: str) -> str | None:
        """Return the status of a job's last end, `None` if it is not kept."""
        if waiting := self._unwritten(job_id):
            return waiting.job.outcome
        found = self._index.find(job_id)
        return None if found is None else found.outcome

    def ids(self) -> list[str]:
        """Return the ids of all kept jobs, with those that wait for the disk."""
        unwritten = [one.job.job_id for one in (*self._being_written, *self._waiting)]
        return [*self._index.ids(), *unwritten]

    def latest(self, count: int) -> list[Summary]:
        """Return the last `count` jobs that are on the disk, the last one first."""
        return self._index.latest(count)

    async def read(self, job_id: str) -> OpenedJob | None:
        """Open the file of a job's last end, `None` if there is none. Close it by `close_file`.

        Raises `OSError` (`DiskHangsError` within two seconds), and `DamagedFileError`.
        """
        while self._unwritten(job_id) is not None:
            self._write()
            assert self._writing is not None
            await self._disk.within_limit(self._writing)
            await asyncio.sleep(0)  # `_done` has its turn
        found = self._index.find(job_id)
        if found is None:
            return None
        try:
            return await self._disk.call(self._files.read, found.number)
        except FileNotFoundError:  # somebody has removed it
            self._index.remove([found.number])
            return None

    async def portion(self, opened: OpenedJob, start: int) -> bytes:
        """Return the log from byte `start` on; empty at its end. Raises `OSError`."""
        return await self._disk.call(opened.log, start)

    async def result(self, opened: OpenedJob) -> bytes:
        """Return the masked result data, empty if none are kept. Raises `OSError`."""
        return await self._disk.call(opened.result)

    def close_file(self, opened: OpenedJob) -> None:
        """Close a file that `read` has opened."""
        self._disk.submit(opened.close)

    async def close(self) -> None:
        """Write the waiting jobs, if the disk takes them within two seconds, and end the thread."""
        if self._writing is not None:
            await asyncio.wait((self._writing,), timeout=_END_SECONDS)
        self._is_closing = True
        if self._again is not None:
            self._again.cancel()
        self._write()
        await self._disk.close(_END_SECONDS)
        await asyncio.sleep(0)
        if lost := self.dropped + len(self._waiting) + len(self._being_written):
            self._tell_not_kept(lost, "the worker ends before the disk takes them")

    def _gather(self) -> None:
        if self._waiting_bytes >= _GATHER_BYTES:
            self._write()
        elif self._timer is None and self._writing is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._write)

    def _write(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None or (self._is_open and not self._waiting):
            return  # jobs that come meanwhile are written together, afterwards
        self._being_written, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._writing = self._disk.submit(self._write_all, self._being_written, self._is_open)
        self._writing.add_done_callback(self._done)

    def _done(self, writing: "asyncio.Future[_Written]") -> None:
        batch, self._being_written, self._writing = self._being_written, (), None
        if writing.cancelled():
            return
        if error := writing.exception():  # a bug of ours: these jobs are lost, and the next ones are tried
            tell(_log, EndedJobsNotKept(path=self._path, jobs=len(batch), reason=str(error)), error=error)
            return
        written = writing.result()
        if written.found is not None:
            self._take_found(written.found)
        for job in written.jobs:
            self._index.add(job)
        self._index.remove(written.gone)
        if written.error is not None:
            size = max((one.size_bytes for one in batch), default=0)
            self._drop(written.failed, size, written.error.strerror or str(written.error))
        elif self._is_failing and written.works:
            tell(_log, EndedJobsKeptAgain(path=self._path, jobs=self.dropped))
            self.dropped, self._dropped_bytes, self._is_failing = 0, 0, False
        if self._waiting:
            self._gather()

    def _take_found(self, found: Found) -> None:
        self._is_open = True
        for job in found.jobs:
            self._index.add(job)
        if found.damaged:
            names = ", ".join(found.damaged[:_MOST_NAMES])
            more = len(found.damaged) - _MOST_NAMES
            names += f" and {more} more" if more > 0 else ""
            tell(_log, EndedJobsDamaged(path=self._path, jobs=len(found.damaged), names=names))

    def _drop(self, jobs: int, size_bytes: int, reason: str) -> None:
        self.dropped += jobs
        self._dropped_bytes = max(self._dropped_bytes, size_bytes)
        self._reason = reason
        self._try_later()
        # Also if nothing was to be written yet: then it is unknown which jobs earlier runs have kept.
        if not self._is_failing:
            self._is_failing = True
            self._tell_not_kept(self.dropped, reason)

    def _try_later(self) -> None:
        if self._again is None and not self._is_closing:
            self._again = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._try_again)

    def _try_again(self) -> None:
        """Try whether the disk takes again what it refused. Then the worker can say so before the next job."""
        self._again = None
        if not self._is_failing:
            return
        if self._writing is not None or self._disk.hangs:
            self._try_later()
            return
        self._writing = self._disk.submit(
            self._try_disk, self._is_open, min(self._dropped_bytes, _GATHER_BYTES)
        )
        self._writing.add_done_callback(self._done)

    def _tell_not_kept(self, jobs: int, reason: str) -> None:
        tell(_log, EndedJobsNotKept(path=self._path, jobs=jobs, reason=reason))

    def _unwritten(self, job_id: str) -> _Waiting | None:
        both = (*self._being_written, *self._waiting)
        return next((one for one in both if one.job.job_id == job_id), None)

    @property
    def _path(self) -> str:
        return str(self._files.directory)

    def _write_all(self, batch: Sequence[_Waiting], is_open: bool) -> _Written:
        """Write some jobs. In the thread."""
        written = _Written()
        try:
            if not is_open:
                written.found = self._files.open()
        except OSError as error:
            written.failed, written.error = len(batch), error
            return written
        for one in batch:
            try:
                job, gone = self._files.write(one.job, one.log.text() if one.log else b"", one.result)
            except OSError as error:
                written.failed += 1
                written.error = error
            else:
                written.works = True
                written.jobs.append(job)
                written.gone += gone
        return written

    def _try_disk(self, is_open: bool, size_bytes: int) -> _Written:
        """Write `size_bytes`, and remove them. In the thread."""
        written = self._write_all((), is_open)
        if written.error is not None:
            return written
        try:
            self._files.try_out(size_bytes)
        except OSError as error:
            written.error = error
        else:
            written.works = True
        return written
