"""Changes that somebody else has made to the file: logged, and taken over."""

import logging
from collections.abc import Sequence
from typing import Final

from supervisor.journal.claims import Claims
from supervisor.journal.durable_copy import DurableCopy
from supervisor.journal.records import Entry
from supervisor.journal.row import Differences, Row
from supervisor.journal.rows import DAMAGED
from supervisor.log.event import tell
from supervisor.log.events.results import (
    DeadLetterDropped,
    DeadLetterRetried,
    JournalRewritten,
    ResultDamaged,
)

_log = logging.getLogger(__name__)

_AT_A_TIME_BYTES: Final = 16 * 2**20
"""So much of requeued dead letters is read until the file is looked at again. So an engine that refuses them once more
can keep pace."""


def tell_differences(differences: Differences, claims: Claims) -> None:
    """Log what somebody has changed."""
    for entry in differences.dropped:
        tell(_log, DeadLetterDropped(job=entry.claim.job_id, dead_letter=entry.number))
    superseded = claims.superseded() if differences.revived else {}
    for entry in differences.revived:
        if entry.number not in superseded:  # otherwise it is logged when it becomes a dead letter again
            tell(_log, DeadLetterRetried(job=entry.claim.job_id, dead_letter=entry.number))
    if differences.rewritten:
        tell(_log, JournalRewritten(claims=len(differences.rewritten)))


async def read_wanted(rows: Sequence[Row], claims: Claims, copy: DurableCopy) -> None:
    """Read the results of requeued dead letters: after that, the next look at the file can send them."""
    size = 0
    for row in rows:
        entry = row.entry
        found, is_sound = await _read(entry, copy)
        if found is not None and is_sound:
            claims.take_texts([found])
            size += found.size or 0
        elif found is not None and (dead := claims.mark_dead(entry.number, DAMAGED)):
            tell(_log, ResultDamaged(claim=entry.number))
            await copy.save([dead])
        if size >= _AT_A_TIME_BYTES:
            break
    if size:
        copy.journal.look_again()


async def _read(entry: Entry, copy: DurableCopy) -> tuple[Entry | None, bool]:
    """Return the entry with its result, and whether that is sound; nothing if the disk does not return it now."""
    found: list[tuple[Entry | None, bool]] = []
    await copy.do(lambda: found.append(copy.journal.read_text(entry)))
    return found[0] if found else (None, False)
