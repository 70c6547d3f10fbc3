"""Who keeps this process, and what is left to that keeper to remove: all that the two have in common after the fork."""

import os
from pathlib import Path

_keeper: int | None = None
_cgroups: int | None = None
"""Anonymous memory that both processes have: there the supervisor writes what the keeper has to remove after it."""


def share_memory() -> None:
    """Make what both will have. To be called by the keeper, before the fork."""
    global _cgroups
    _cgroups = os.memfd_create("neops-cgroups", os.MFD_CLOEXEC)


def be_kept_by(keeper: int) -> None:
    """Remember the keeper. To be called in the child, after the fork."""
    global _keeper
    _keeper = keeper


def keeper_pid() -> int | None:
    """Return the keeper of this process, `None` where there is none."""
    return _keeper


def leave_to_keeper(cgroups: list[Path]) -> None:
    """Say which directories are to be removed if this process does not get to it itself."""
    if _cgroups is not None:
        os.ftruncate(_cgroups, 0)
        os.pwrite(_cgroups, b"\0".join(os.fsencode(path) for path in cgroups), 0)


def left_to_keeper() -> list[Path]:
    """Return the directories that were last said."""
    if _cgroups is None:
        return []
    return [Path(os.fsdecode(path)) for path in os.pread(_cgroups, 2**16, 0).split(b"\0") if path]
