"""The files of ended jobs. All of it blocks for as long as the disk does. One thread uses it."""

import contextlib
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supervisor.journal.ended_jobs.budget import MOST_BYTES, too_old
from supervisor.journal.ended_jobs.ended_job import EndedJob, Summary, summary_of
from supervisor.journal.ended_jobs.file_format import HEAD_CAP_BYTES, DamagedFileError, file_of, head_of
from supervisor.process.small_file import ordinary_file

ENDED_JOBS: Final = "ended_jobs"
"""The directory, in the state directory, in which ended jobs are kept."""

_NAME: Final = re.compile(r"([0-9]{12})\.job")
_TRIAL: Final = "trial"
_PORTION_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """What the start has found: the jobs, in the order of their ends, and the names of damaged files."""

    jobs: Sequence[Summary]
    damaged: Sequence[str]


class OpenedJob:
    """A file that is being read. It stays readable if it is removed meanwhile. Close it at the end."""

    def __init__(
        self, job: EndedJob, descriptor: int, log_start: int, log_bytes: int, result_bytes: int
    ) -> None:
        self.job = job
        self.log_bytes = log_bytes
        self._descriptor = descriptor
        self._log_start = log_start
        self._result_bytes = result_bytes

    def log(self, start: int, most_bytes: int = _PORTION_BYTES) -> bytes:
        """Return a portion of the log from byte `start` on; empty at its end. Raises `OSError`."""
        length = min(most_bytes, self.log_bytes - start)
        return os.pread(self._descriptor, length, self._log_start + start) if length > 0 else b""

    def result(self) -> bytes:
        """Return the masked data of the result; empty if none are kept. Raises `OSError`."""
        return os.pread(self._descriptor, self._result_bytes, self._log_start + self.log_bytes)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class EndedJobFiles:
    """A directory with a file for each ended job. If there are too many, the oldest are removed.

    Nothing is synced: nobody waits for the disk. After a power failure, the next start skips damaged files.
    """

    def __init__(self, directory: Path, most_jobs: int, most_bytes: int = MOST_BYTES) -> None:
        self.directory = directory
        self._most_jobs = most_jobs
        self._most_bytes = most_bytes
        self._sizes: dict[int, int] = {}
        self._next_number = 1

    def open(self) -> Found:
        """Make the directory, and read the heads of its files. Raises `OSError`."""
        self._make()
        (self.directory / _TRIAL).unlink(missing_ok=True)  # left by a worker that was killed
        jobs, damaged = [], []
        for number, name in sorted(_numbered(self.directory)):
            self._next_number = number + 1
            try:
                job, size = _head(self.directory / name)
            except FileNotFoundError:
                continue
            except (DamagedFileError, OSError) as error:
                damaged.append(name)
                size = error.size if isinstance(error, _KnownSizeError) else 0
            else:
                jobs.append(summary_of(number, job))
            self._sizes[number] = size
        gone = set(self._remove_old())
        return Found([job for job in jobs if job.number not in gone], damaged)

    def write(self, job: EndedJob, log: bytes, result: bytes) -> tuple[Summary, list[int]]:
        """Keep a job. Returns it, and the numbers of the jobs removed for it. Raises `OSError`; then it is not kept.

        If the worker ends in the middle of this, the next start finds a damaged file.
        """
        number = self._next_number
        path = self._path(number)
        pieces = file_of(job, log, result)
        try:
            descriptor = _new_file(path)
        except FileNotFoundError:  # somebody has removed the directory
            self._make()
            descriptor = _new_file(path)
        self._next_number += 1
        try:
            for piece in pieces:
                _write_all(descriptor, piece)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()  # half a file is useless, and takes space from others
            raise
        finally:
            os.close(descriptor)
        self._sizes[number] = sum(map(len, pieces))
        return summary_of(number, job), self._remove_old()

    def try_out(self, size_bytes: int) -> None:
        """Write a file of this size, and remove it. Raises `OSError` if a job could not be kept either."""
        path = self.directory / _TRIAL
        self._make()
        descriptor = _new_file(path)
        try:
            _write_all(descriptor, bytes(size_bytes))
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)

    def read(self, number: int) -> OpenedJob:
        """Open a job's file. Raises the same as `read_file`."""
        return read_file(self._path(number))

    def _make(self) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        os.chmod(self.directory, 0o700)  # `mkdir` leaves an old one as it is

    def _remove_old(self) -> list[int]:
        gone = too_old(self._sizes, self._most_jobs, self._most_bytes)
        for number in gone:
            try:
                self._path(number).unlink(missing_ok=True)
            except OSError:  # tried again at the next job that is kept
                return gone[: gone.index(number)]
            del self._sizes[number]
        return gone

    def _path(self, number: int) -> Path:
        return self.directory / f"{number:012}.job"


def read_file(path: Path) -> OpenedJob:
    """Open the file of a job. Raises `FileNotFoundError` if it is gone, `OSError`, and `DamagedFileError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        beginning = os.pread(descriptor, HEAD_CAP_BYTES, 0)
        head, start = head_of(beginning, os.fstat(descriptor).st_size)
        _check(descriptor, start, head.checksum)
    except BaseException:
        os.close(descriptor)
        raise
    return OpenedJob(head.job, descriptor, start, head.log_bytes, head.result_bytes)


def kept_jobs(directory: Path) -> Iterator[tuple[Path, EndedJob]]:
    """Yield the jobs that a worker has kept in `directory`, the last one first, each with its path.

    For readers that work without that worker. Skips damaged files. Raises `OSError`.
    """
    for _, name in sorted(_numbered(directory), reverse=True):
        with contextlib.suppress(OSError, DamagedFileError):
            yield directory / name, _head(directory / name)[0]


class _KnownSizeError(DamagedFileError):
    def __init__(self, error: DamagedFileError, size: int) -> None:
        super().__init__(str(error))
        self.size = size


def _numbered(directory: Path) -> Iterator[tuple[int, str]]:
    for name in os.listdir(directory):
        if match := _NAME.fullmatch(name):
            yield int(match[1]), name


def _head(path: Path) -> tuple[EndedJob, int]:
    with ordinary_file(path) as descriptor:
        size = os.fstat(descriptor).st_size
        try:
            head, _ = head_of(_first_line(descriptor), size)
        except DamagedFileError as error:
            raise _KnownSizeError(error, size) from None
        return head.job, size


def _first_line(descriptor: int) -> bytes:
    # Mostly a thousand bytes: the worker reads a thousand files when it starts.
    beginning = os.pread(descriptor, 4096, 0)
    return beginning if b"\n" in beginning else os.pread(descriptor, HEAD_CAP_BYTES, 0)


def _new_file(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:  # a nearly full disk takes a part, and reports it only at the next call (write(2))
        rest = rest[os.write(descriptor, rest) :]


def _check(descriptor: int, start: int, expected: int) -> None:
    checksum = 0
    while piece := os.pread(descriptor, _PORTION_BYTES, start):
        checksum = zlib.crc32(piece, checksum)
        start += len(piece)
    if checksum != expected:
        raise DamagedFileError("its content is not what was written")
