"""Which cgroups a worker has left."""

import os
import time
from pathlib import Path
from typing import Final

from supervisor.process.cgroups.identity import directory_name, identity_of

_ROOT: Final = Path("/sys/fs/cgroup")
_PATIENCE_SECONDS: Final = 15.0
"""A cgroup can be removed when the last process in it is dead, and that needs a processor to die."""


def left_cgroups(state_directory: Path) -> list[str]:
    """Return the cgroups of the worker with this state directory that stay when it has ended.

    Only its own, by their name: other workers of this machine come and go meanwhile.
    """
    name = directory_name(identity_of(state_directory))
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        is_last = time.monotonic() > end
        left = [os.path.join(parent, name) for parent, names, _ in os.walk(_ROOT) if name in names]
        if not left or is_last:
            return left
        time.sleep(0.05)
