"""How many ended jobs are kept, and how much of each. Pure."""

from collections.abc import Mapping
from typing import Final

HEAD_BYTES: Final = 256 * 1024
"""Of a log's beginning: what the job was asked for, and its first steps."""

TAIL_BYTES: Final = 768 * 1024
"""Of a log's end: mostly what a person looks for. With the head, 1 MB."""

MOST_BYTES: Final = 64 * 2**20
"""Of all that is kept, on the disk."""

RESULT_BYTES: Final = 256 * 1024
"""The largest result whose data are kept: to mask it takes up to half a second of a processor."""

WAITING_BYTES: Final = 16 * 2**20
"""Of what waits for the disk, in memory. What comes on top is dropped and counted."""


def too_old(sizes: Mapping[int, int], most_jobs: int, most_bytes: int = MOST_BYTES) -> list[int]:
    """Return the numbers of what has to go: the lowest, until no more than so many with so many bytes are left.

    `sizes` has the bytes of each, by number. Numbers are given in the order of the ends, whatever the clock says.
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
