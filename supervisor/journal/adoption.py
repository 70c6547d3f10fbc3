"""Takes the claims and facts of earlier runs from the file into memory."""

import logging
from pathlib import Path

from supervisor.journal.claims import Claims
from supervisor.journal.records import Entry
from supervisor.journal.rows import Loaded
from supervisor.log.event import tell
from supervisor.log.events.results import (
    AcceptedResultDropped,
    DeadLetterLost,
    JournalReplaced,
    ResultDamaged,
)

_log = logging.getLogger(__name__)


def adopt(
    loaded: Loaded, claims: Claims, facts: dict[str, str], *, saved: bool
) -> tuple[list[Entry], set[str]]:
    """Add what was `loaded` to claims and facts. `saved`: it was loaded from the file that is in use.

    Returns the entries that must be changed in the file or leave it, and the names of facts that must be saved.
    """
    over = [entry for entry in loaded.entries if entry.number in loaded.accepted]
    for entry in over:
        tell(_log, AcceptedResultDropped(job=entry.claim.job_id, claim=entry.number))
    for number in sorted(loaded.repaired - loaded.accepted):
        tell(_log, ResultDamaged(claim=number))
    new = {name: value for name, value in loaded.facts.items() if name not in facts}
    facts.update(new)
    entries = [entry for entry in loaded.entries if entry.number not in loaded.accepted]
    unsaved = loaded.repaired if saved else {entry.number for entry in entries}
    return claims.adopt(entries, loaded.highest, unsaved) + over, set() if saved else set(new)


def compare_with_file(loaded: Loaded, claims: Claims, facts: dict[str, str]) -> set[str]:
    """Mark as unsaved what differs in a file that was opened again: it may be another file.

    Returns the names of such facts.
    """
    for entry in claims.compare_with_file(loaded.entries):
        tell(_log, DeadLetterLost(job=entry.claim.job_id, dead_letter=entry.number))
    return {name for name, value in facts.items() if loaded.facts.get(name) != value}


def tell_replaced(path: Path, aside: Path, salvaged: Loaded | None) -> None:
    """Say that a damaged file was moved aside, and how many claims of an earlier run it held, if that is news."""
    known = "" if salvaged is None else f", and {len(salvaged.entries)} claim(s) that the old one still held"
    tell(_log, JournalReplaced(path=str(path), moved_to=str(aside), salvaged=known))
