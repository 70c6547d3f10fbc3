"""The format of an ended job's file: a line of JSON, then its log, then its result. Pure."""

import json
import zlib
from dataclasses import asdict, dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from supervisor.errors import SupervisorError
from supervisor.journal.ended_jobs.ended_job import EndedJob

FORMAT: Final = 1
HEAD_CAP_BYTES: Final = 256 * 1024
"""Of the first line: a message has 16,000 characters at most, of six bytes each."""


class DamagedFileError(SupervisorError):
    """A file that this worker can't use. The text says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a file, and the lengths of the parts after it."""

    job: EndedJob
    log_bytes: int
    result_bytes: int
    checksum: int
    """Of log and result together."""


@dataclass(frozen=True, slots=True)
class _Line:
    format: int
    job: EndedJob
    log_bytes: int
    result_bytes: int
    checksum: int


_line = TypeAdapter(_Line)


def file_of(job: EndedJob, log: bytes, result: bytes) -> list[bytes]:
    """Return the pieces of a file, in their order."""
    checksum = zlib.crc32(result, zlib.crc32(log))
    line = _Line(FORMAT, job, len(log), len(result), checksum)
    return [json.dumps(asdict(line)).encode() + b"\n", log, result]


def head_of(beginning: bytes, size_bytes: int) -> tuple[Head, int]:
    """Return the head of a file of this size, and the position of the log. Raises `DamagedFileError`.

    `beginning` are the file's first bytes: `HEAD_CAP_BYTES` of them, or all if the file is shorter.
    """
    line, ended, _ = beginning.partition(b"\n")
    if not ended:
        raise DamagedFileError("it has no first line")
    try:
        found = _line.validate_json(line)
    except ValidationError:
        raise DamagedFileError("its first line is not what this version writes") from None
    if found.format != FORMAT:
        raise DamagedFileError(f"it is of another version (format {found.format})")
    start = len(line) + 1
    if start + found.log_bytes + found.result_bytes != size_bytes:
        raise DamagedFileError("it is not whole")
    return Head(found.job, found.log_bytes, found.result_bytes, found.checksum), start
