"""How many ended jobs are kept, and how much of each. Pure."""

from collections.abc import Mapping
from typing import Final

HEAD_BYTES: Final = 256 * 1024
"""Of a log's beginning: the job's input, and its first steps."""

TAIL_BYTES: Final = 768 * 1024
"""Of a log's end: mostly what people look for. With the head, 1 MB."""

MOST_BYTES: Final = 64 * 2**20
"""Of all that is kept, on the disk."""

RESULT_BYTES: Final = 256 * 1024
"""The largest result whose data are kept: masking it takes up to half a second of a processor."""

WAITING_BYTES: Final = 16 * 2**20
"""Of the jobs in memory that wait for the disk. Jobs beyond this are dropped and counted."""


def too_old(sizes: Mapping[int, int], most_jobs: int, most_bytes: int = MOST_BYTES) -> list[int]:
    """Return the numbers to remove: the lowest, until at most `most_jobs` jobs with at most `most_bytes` are left.

    `sizes` has the bytes of each, by number. Numbers follow the order of the ends, whatever the clock says.
    """
    gone: list[int] = []
    count, total = len(sizes), sum(sizes.values())
    for number in sorted(sizes):
        if count <= most_jobs and total <= most_bytes:
            break
        gone.append(number)
        count -= 1
        total -= sizes[number]
    return gone
