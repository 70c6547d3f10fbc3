"""Which bombs there are (`tests/hosting/blocks_under_test/bomb_blocks.py`), and which of them can have a stack."""

from typing import Final

WITH_A_STACK: Final = (
    "plain",
    "sessions",
    "groups",
    "double_forks",
    "climbs",
    "threads",
    "headless",
    "programs",
    "rekindles",
)
WITHOUT: Final = ("deaf", "lit_by_one_that_ends")
"""One blocks every signal; of the other, the child has ended before."""

KINDS: Final = (*WITH_A_STACK, *WITHOUT)
