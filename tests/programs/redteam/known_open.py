"""What is known to succeed: told with every run, so that nobody takes silence for safety."""

from typing import Final

KNOWN_OPEN: Final[dict[str, tuple[str, str]]] = {
    "late-outcome": (
        "a process of a job sends the job's outcome in the moment after its child has ended",
        "for some milliseconds, until it is killed, the outcome counts: a success with exit code 7",
    ),
    "dead-letters": (
        "results of megabytes that the engine refuses, one after the other",
        "each dead letter stays in memory, some 14 MB for one of 8 MB, until somebody drops it",
    ),
}
"""Number, title, and why it is open."""
