"""Whether /proc is mounted: all that the worker knows of processes comes from it."""

import os
from typing import Final

from supervisor.errors import StartRefusedError

_OWN: Final = "/proc/self/stat"


def refuse_without_proc() -> None:
    """Raise `StartRefusedError` if /proc is not mounted, as in a bare chroot or a mount namespace without it."""
    if not os.path.exists(_OWN):
        raise StartRefusedError(
            f"{_OWN} does not exist: /proc is not mounted here, and without it no process can be watched. "
            "Mount it: mount -t proc proc /proc"
        )
