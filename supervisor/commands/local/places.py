"""Where `supervisor local` keeps its state, and where engines that run here say so."""

import os
from pathlib import Path
from typing import Final

ENGINE_DATABASE: Final = "engine.sqlite3"
ENGINE_TOKEN_FILE: Final = "engine.token"  # noqa: S105  # its name
WORKER_DIRECTORY: Final = "worker"
WORKER_LOG: Final = "worker.log"


def local_state_directory() -> Path:
    """Return systemd's StateDirectory if there is one, else the user's own (XDG base directory specification)."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "neops-local"


def announcements_directory() -> Path:
    """Return where running engines are announced: one place, whatever state directory each of them has."""
    return local_state_directory() / "running"


def where_engines_are_looked_for() -> str:
    """Say where `announcements_directory` is, and what has decided that."""
    deciding = next((name for name in ("STATE_DIRECTORY", "XDG_STATE_HOME") if os.environ.get(name)), None)
    why = f"{deciding} is {os.environ[deciding]}" if deciding else "XDG_STATE_HOME is not set"
    return f"{announcements_directory()} ({why})"
