"""Files and directories that settings name."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from supervisor.errors import NoHomeError


def _existing_file(path: Path | None) -> Path | None:
    if path is not None and not os.path.isfile(path):  # `Path.is_file` raises if it may not look
        raise ValueError(f"{path} is not a file that can be read")
    return path


File = Annotated[Path | None, AfterValidator(_existing_file)]


def default_state_directory() -> Path:
    """Return systemd's StateDirectory if there is one, otherwise the user's own."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    return user_state_home() / "neops-supervisor"


def user_state_home() -> Path:
    """Return where this user's programs keep their state (XDG base directory specification)."""
    if base := os.environ.get("XDG_STATE_HOME"):
        return Path(base)
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:  # as in a container that runs as a number which no file knows
        raise NoHomeError(
            f"User {os.getuid()} has no home directory, so there is no default place for the state. Set HOME or "
            "XDG_STATE_HOME, or give --state-dir to a command that takes it."
        ) from None


def existing_paths(paths: list[str]) -> list[str]:
    """Return the paths, absolute. Raises `ValueError` for a path that does not exist or makes no sense."""
    absolute = [os.path.abspath(os.path.expanduser(path)) for path in paths]
    for path in absolute:
        if path == "/":
            raise ValueError("/ names everything: name the directories that jobs have to write in")
        if not os.path.exists(path):
            raise ValueError(f"{path} does not exist; make it before the worker starts")
    return absolute
