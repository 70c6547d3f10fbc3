"""Variables with our prefix that are no settings: the programs of this package know each other by them."""

import os
from collections.abc import Iterable
from typing import Final

MARK_VARIABLE: Final = "NEOPS_DEMO_RUN"
"""Carries the mark of one run of the demo, by which every process of that run can be recognised."""

AT_LEAST_INFO_VARIABLE: Final = "NEOPS_WORKER_OF_A_COMMAND"
"""Set for a worker that another command reads: that needs its INFO lines, whatever level a person wants to see."""

CLOSED_TO_JOBS_VARIABLE: Final = "NEOPS_CLOSED_TO_JOBS"
"""Set for a worker that a command runs: what that command keeps on the disk, of which jobs are to see nothing."""


def closed_to_jobs(paths: Iterable[str | os.PathLike[str]]) -> dict[str, str]:
    """Return the variable with which a worker keeps its jobs out of `paths`."""
    return {CLOSED_TO_JOBS_VARIABLE: os.pathsep.join(os.path.abspath(path) for path in paths)}


def closed_by_a_command() -> list[str]:
    """Return what the command keeps that runs this worker; nothing where no command does."""
    return [path for path in os.environ.get(CLOSED_TO_JOBS_VARIABLE, "").split(os.pathsep) if path]
