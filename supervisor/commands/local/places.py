"""Where `supervisor local` keeps its state, and where engines on this machine are announced."""

import asyncio
import os
import time
from pathlib import Path
from typing import Final

from supervisor.journal.directory import is_in_use
from supervisor.settings.files import user_state_home

ENGINE_DATABASE: Final = "engine.sqlite3"
ENGINE_TOKEN_FILE: Final = "engine.token"  # noqa: S105  # its name
WORKER_DIRECTORY: Final = "worker"
WORKER_LOG: Final = "worker.log"
_LOOK_SECONDS: Final = 0.02


def local_state_directory() -> Path:
    """Return systemd's StateDirectory if there is one, else the user's own."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    return user_state_home() / "neops-local"


async def previous_worker_ended(state_directory: Path, bound_seconds: float) -> None:
    """Wait until no worker holds its directory any more, at most for `bound_seconds`.

    If a run was killed, its engine and worker were killed with it. But clearing away what its jobs started may take
    the worker a moment longer.
    """
    end = time.monotonic() + bound_seconds
    directory = state_directory / WORKER_DIRECTORY
    while is_in_use(directory) and time.monotonic() < end:  # noqa: ASYNC110  # a lock has no event to wait for
        await asyncio.sleep(_LOOK_SECONDS)


def announcements_directory() -> Path:
    """Return where running engines are announced: one place, whatever their state directories are."""
    return local_state_directory() / "running"


def where_engines_are_looked_for() -> str:
    """Say where `announcements_directory` is, and which variable has decided that."""
    deciding = next((name for name in ("STATE_DIRECTORY", "XDG_STATE_HOME") if os.environ.get(name)), None)
    why = f"{deciding} is {os.environ[deciding]}" if deciding else "XDG_STATE_HOME is not set"
    return f"{announcements_directory()} ({why})"
