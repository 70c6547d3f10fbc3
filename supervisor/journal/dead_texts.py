"""Which results of dead letters stay in memory: as many as fit. Only the file has the others. Pure."""

from dataclasses import replace
from typing import Final

from supervisor.journal.records import Entry

MOST_BYTES: Final = 16 * 2**20
"""Dead letters stay until somebody drops them. Without this limit, an engine or a proxy that refuses large results
would fill this machine's memory, and again at each start."""


class DeadTexts:
    """Counts the results of dead letters that are both in memory and in the file."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._bytes = 0

    def in_file(self, entry: Entry) -> Entry:
        """Return an entry of the file as memory keeps it: without its result if there is no room."""
        if entry.state != "dead" or entry.result is None or entry.number in self._sizes:
            return entry
        size = len(entry.result)
        if self._bytes + size > MOST_BYTES:
            return entry.without_text()
        self._sizes[entry.number] = size
        self._bytes += size
        return entry

    def forget(self, number: int) -> None:
        """Free its room: it is not a dead letter any more."""
        self._bytes -= self._sizes.pop(number, 0)


def is_held(kept: Entry | None, entry: Entry) -> bool:
    """Whether a file that holds `kept` has `entry` in this form, or as a dead letter that somebody requeued.

    If one of them has no text here, only the sizes are compared.
    """
    if kept is None:
        return False
    if kept.absent_bytes is not None or entry.absent_bytes is not None:
        kept, entry = kept.without_text(), entry.without_text()
    return kept in (entry, replace(entry, dead_reason=None))


def is_text_there(kept: Entry | None, entry: Entry) -> bool:
    """Whether a file that holds `kept` has the result that is not in memory."""
    return kept is not None and kept.claim == entry.claim and kept.size == entry.absent_bytes
