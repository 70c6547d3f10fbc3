"""Results of a try of a job that is over, as the engine has handed the job out again since. Pure."""

from collections.abc import Sequence

from supervisor.journal.records import Entry


def superseded(entries: Sequence[Entry]) -> dict[int, int]:
    """Return the entries that wait to be delivered and whose jobs were claimed again since, each with the later claim.

    Both are given by number. Usually each was a dead letter, and somebody wants it sent again.
    """
    newest = {
        entry.claim.job_id: entry for entry in sorted(entries, key=lambda entry: entry.claim.claimed_at)
    }
    found: dict[int, int] = {}
    for entry in entries:
        later = newest[entry.claim.job_id]
        # A clock may be set back, and a claim of an earlier run may have got a higher number (`Claims.adopt`).
        is_later = later.number > entry.number and later.claim.claimed_at > entry.claim.claimed_at
        if is_later and entry.state == "waiting":
            found[entry.number] = later.number
    return found
