"""Where a worker's control socket and its secret are: the same rule for the worker and for those who ask it."""

import os
from pathlib import Path
from typing import Final

SOCKET: Final = "control.sock"
SECRET: Final = "control.secret"  # noqa: S105  # its name
BELOW_STATE: Final = "run"

of_systemd = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
"""Read once, before there is anything else: while a process for jobs is started, the environment of this one is that of
jobs for a moment (`launcher.environment`), and whoever looked then, in another thread, would find no directory."""


def runtime_directory(given: Path | None, state_dir: Path) -> Path:
    """Return the directory that is `given` (--runtime-dir), else systemd's, else one in `state_dir`."""
    if given is not None:
        return given
    return Path(of_systemd) if of_systemd else state_dir / BELOW_STATE


def address_in(directory: int, name: str = SOCKET) -> str:
    """Return the address of a socket in a directory that is held open.

    Not its path: that of a socket can't have more than 107 bytes (unix(7)).
    """
    return f"/proc/self/fd/{directory}/{name}"
