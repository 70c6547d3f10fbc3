"""Where a worker's control socket and its secret are: the same rule for the worker and for its clients."""

import os
from pathlib import Path
from typing import Final

SOCKET: Final = "control.sock"
SECRET: Final = "control.secret"  # noqa: S105  # its name
BELOW_STATE: Final = "run"

of_systemd = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
"""Read once, before anything else. While a process for jobs starts, the environment of this process is for a moment
the one for jobs (`launcher.environment`). Another thread that read it then would find no directory."""


def runtime_directory(given: Path | None, state_dir: Path) -> Path:
    """Return the `given` directory (--runtime-dir), otherwise systemd's, otherwise one in `state_dir`."""
    if given is not None:
        return given
    return Path(of_systemd) if of_systemd else state_dir / BELOW_STATE


def address_in(directory: int, name: str = SOCKET) -> str:
    """Return the address of a socket in a directory that is held open.

    Its path could be too long: a socket's path can't have more than 107 bytes (unix(7)).
    """
    return f"/proc/self/fd/{directory}/{name}"
