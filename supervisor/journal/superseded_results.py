"""Results of an old try: the engine has handed the job out again since then. Pure."""

from collections.abc import Sequence

from supervisor.journal.records import Entry


def superseded(entries: Sequence[Entry]) -> dict[int, int]:
    """Return the entries that wait for delivery although their jobs were claimed again, each with the later claim.

    Both are given by number. Usually such an entry was a dead letter that somebody requeued.
    """
    newest = {
        entry.claim.job_id: entry for entry in sorted(entries, key=lambda entry: entry.claim.claimed_at)
    }
    found: dict[int, int] = {}
    for entry in entries:
        later = newest[entry.claim.job_id]
        # A clock may be set back, and an earlier run's claim may have got a higher number (`Claims.adopt`).
        is_later = later.number > entry.number and later.claim.claimed_at > entry.claim.claimed_at
        if is_later and entry.state == "waiting":
            found[entry.number] = later.number
    return found
