"""Slots per block: which blocks a poll may ask for, and which waiting job may begin. Full blocks are left out.

`most` says how many jobs of a block may run at a time, for blocks with their own limit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class Identified(Protocol):
    """A block, as far as it is needed here."""

    @property
    def id(self) -> str:
        """Its id."""
        ...


Block = TypeVar("Block", bound=Identified)


def to_ask_for(
    blocks: Sequence[Block], free: int, *, most: Mapping[str, int], taken: Mapping[str, int], covered: int = 0
) -> tuple[Sequence[Block], int]:
    """Return the blocks that a poll asks for, and for how many jobs at most.

    `taken`: how many jobs of a block are here, running or waiting. `covered`: how many more, of any block, may come by
    unanswered polls.

    The engine fills a poll with any of these blocks. No claimed job should wait here while another worker has room for
    it. So the poll asks for no more jobs than the fullest of these blocks can take.
    """
    rooms = {block: limit - taken.get(block, 0) - covered for block, limit in most.items()}
    if all(room >= max(free, 1) for room in rooms.values()):
        return blocks, free  # no limit applies to this poll: hundreds of blocks need no look, one by one
    open_blocks = [block for block in blocks if rooms.get(block.id, 1) > 0]
    return open_blocks, min([free, *(rooms[block.id] for block in open_blocks if block.id in rooms)])


def may_begin(block_id: str, *, most: Mapping[str, int], running: Mapping[str, int]) -> bool:
    """Whether one more job of this block may run."""
    limit = most.get(block_id)
    return limit is None or running.get(block_id, 0) < limit


def wanting_a_slot(waiting: Iterable[str], *, most: Mapping[str, int], running: Mapping[str, int]) -> int:
    """Return how many of the waiting jobs need only a slot of the worker: each takes one."""
    after = Counter(running)
    for block_id in waiting:
        if may_begin(block_id, most=most, running=after):
            after[block_id] += 1
    return after.total() - Counter(running).total()
