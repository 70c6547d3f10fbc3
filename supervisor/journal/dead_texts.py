"""Which dead letters' results stay in memory: as many as there is room for. The file alone has the others. Pure."""

from dataclasses import replace
from typing import Final

from supervisor.journal.records import Entry

MOST_BYTES: Final = 16 * 2**20
"""Dead letters are kept until somebody drops them: without a bound, an engine that refuses large results, or a proxy in
front of it, would fill this machine's memory, and again at each start."""


class DeadTexts:
    """Counts the results of dead letters that are both in memory and in the file."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._bytes = 0

    def in_file(self, entry: Entry) -> Entry:
        """Return an entry that the file has as memory is to keep it: without its result where there is no room."""
        if entry.state != "dead" or entry.result is None or entry.number in self._sizes:
            return entry
        size = len(entry.result)
        if self._bytes + size > MOST_BYTES:
            return entry.without_text()
        self._sizes[entry.number] = size
        self._bytes += size
        return entry

    def forget(self, number: int) -> None:
        """Give its room to others: it is no dead letter any more."""
        self._bytes -= self._sizes.pop(number, 0)


def is_held(kept: Entry | None, entry: Entry) -> bool:
    """Whether a file that holds `kept` has `entry` as it is, or as a dead letter that somebody has had sent again.

    Where one of them has no text here, its size has to do.
    """
    if kept is None:
        return False
    if kept.absent_bytes is not None or entry.absent_bytes is not None:
        kept, entry = kept.without_text(), entry.without_text()
    return kept in (entry, replace(entry, dead_reason=None))


def is_text_there(kept: Entry | None, entry: Entry) -> bool:
    """Whether a file that holds `kept` has the result which memory has left to it."""
    return kept is not None and kept.claim == entry.claim and kept.size == entry.absent_bytes
