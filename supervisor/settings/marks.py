"""Variables with our prefix that are not settings: this package's programs recognise each other by them."""

import os
from collections.abc import Iterable
from typing import Final

MARK_VARIABLE: Final = "NEOPS_DEMO_RUN"
"""Holds the mark of one run of the demo. Every process of that run has it."""

AT_LEAST_INFO_VARIABLE: Final = "NEOPS_WORKER_OF_A_COMMAND"
"""Set for a worker whose log another command reads: it needs the INFO lines, whatever level a person wants."""

CLOSED_TO_JOBS_VARIABLE: Final = "NEOPS_CLOSED_TO_JOBS"
"""Set for a worker that a command runs: the command's own files on the disk, which jobs must not see."""


def closed_to_jobs(paths: Iterable[str | os.PathLike[str]]) -> dict[str, str]:
    """Return the variable that makes a worker keep its jobs out of `paths`."""
    return {CLOSED_TO_JOBS_VARIABLE: os.pathsep.join(os.path.abspath(path) for path in paths)}


def closed_by_a_command() -> list[str]:
    """Return the paths of the command that runs this worker; empty without such a command."""
    return [path for path in os.environ.get(CLOSED_TO_JOBS_VARIABLE, "").split(os.pathsep) if path]
