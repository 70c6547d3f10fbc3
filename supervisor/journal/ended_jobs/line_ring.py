"""The lines of a log: it keeps the first and the last ones. Pure."""

from collections import deque
from dataclasses import dataclass
from itertools import islice

from supervisor.journal.ended_jobs.budget import HEAD_BYTES, TAIL_BYTES

_OVERHEAD_BYTES = 48
"""What Python needs for a line besides its text. So many short lines don't take several times their length."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Some consecutive lines. `left_out_lines` are missing before them. `next_line` is the number after them."""

    text: bytes
    next_line: int
    left_out_lines: int = 0


class LineRing:
    """Keeps the beginning and the end of a log, and counts the lines missing in between.

    Lines are counted from 0, with the missing ones. So a reader knows by the number which lines it has missed.
    """

    def __init__(self, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES) -> None:
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._head_bytes = self._head_room = head_bytes
        self._tail_bytes = self._tail_room = tail_bytes
        self._first_of_tail = 0
        self._head_is_full = False
        self.left_out_bytes = 0

    @property
    def kept_bytes(self) -> int:
        """What it holds in memory."""
        return self._head_bytes + self._tail_bytes - self._head_room - self._tail_room

    @property
    def lines(self) -> int:
        """How many lines came; the number of the next one."""
        return self._first_of_tail + len(self._tail)

    @property
    def left_out_lines(self) -> int:
        """How many lines are missing between the beginning and the end."""
        return self._first_of_tail - len(self._head)

    def append(self, line: bytes) -> None:
        """Take a line."""
        size = len(line) + _OVERHEAD_BYTES
        if not self._head_is_full:
            if size <= self._head_room:
                self._head_room -= size
                self._head.append(line)
                self._first_of_tail += 1
                return
            self._head_is_full = True  # a shorter line that comes later would be in the wrong place
        self._tail.append(line)
        self._tail_room -= size
        while self._tail_room < 0:
            oldest = self._tail.popleft()
            self._tail_room += len(oldest) + _OVERHEAD_BYTES
            self._first_of_tail += 1
            self.left_out_bytes += len(oldest)

    def read(self, line: int, most_bytes: int) -> Portion:
        """Return the lines from `line` on: at most `most_bytes`, but at least one line if there is one."""
        if line < len(self._head):
            return _portion(self._head, line, line, most_bytes)
        start = max(line, self._first_of_tail)
        return _portion(self._tail, start - self._first_of_tail, start, most_bytes, start - line)

    def head(self) -> bytes:
        """Return the beginning."""
        return b"".join(self._head)

    def tail(self) -> bytes:
        """Return the end: the lines that are neither in the beginning nor left out."""
        return b"".join(self._tail)


def _portion(
    lines: "list[bytes] | deque[bytes]", skip: int, number: int, most_bytes: int, left_out_lines: int = 0
) -> Portion:
    chosen: list[bytes] = []
    size = 0
    for each in islice(lines, skip, None):
        if chosen and size + len(each) > most_bytes:
            break
        chosen.append(each)
        size += len(each)
    return Portion(b"".join(chosen), number + len(chosen), left_out_lines)
