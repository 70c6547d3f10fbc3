"""What is known to succeed: told with every run, so that nobody takes silence for safety."""

from typing import Final

KNOWN_OPEN: Final[dict[str, tuple[str, str]]] = {
    "R5": (
        "a job reads another's memory where nothing isolates ptrace",
        "needs a kernel with Landlock ABI below 6, no yama, and jobs of the worker's own user",
    ),
    "R9": (
        "a job of another user reads the worker's session keyring",
        "the children keep the session keyring that the worker was started with",
    ),
    "R10-evasion": (
        "clone(CLONE_PARENT) makes processes that are no descendants of the job",
        "they are killed and told of, but the limit of processes does not count them without cgroups",
    ),
    "outside": (
        "a job of the worker's own user acts on the worker by what belongs to that user",
        "its files, its limits (prlimit), its priorities, cgroup.kill in a delegated subtree: use --job-users",
    ),
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
