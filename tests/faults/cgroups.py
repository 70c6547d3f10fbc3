"""Which cgroups of workers there are, and which are new."""

import contextlib
import os
import time
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PATIENCE_SECONDS: Final = 3.0


class Cgroups:
    """Remembers the directories named `neops*` at its creation.

    Those that have a process later on are another worker's of this machine: all of ours have ended.
    """

    def __init__(self) -> None:
        self._before = _found()

    def left(self) -> list[str]:
        """Return what is new and stays for some seconds."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while (
            new := {each for each in _found() - self._before if not _is_inhabited(each)}
        ) and time.monotonic() < end:
            time.sleep(0.05)
        return sorted(new)


def _found() -> set[str]:
    return {
        os.path.join(parent, name)
        for parent, names, _ in os.walk(_ROOT)
        for name in names
        if name.startswith("neops")
    }


def _is_inhabited(directory: str) -> bool:
    for parent, _, names in os.walk(directory):
        # One that goes away meanwhile is not left over either.
        with contextlib.suppress(OSError):
            if "cgroup.procs" in names and Path(parent, "cgroup.procs").read_text().strip():
                return True
    return False
