"""Where `supervisor local` keeps its state, and where engines that run here say so."""

import asyncio
import fcntl
import os
import time
from pathlib import Path
from typing import Final

ENGINE_DATABASE: Final = "engine.sqlite3"
ENGINE_TOKEN_FILE: Final = "engine.token"  # noqa: S105  # its name
WORKER_DIRECTORY: Final = "worker"
WORKER_LOG: Final = "worker.log"
_LOOK_SECONDS: Final = 0.02


def local_state_directory() -> Path:
    """Return systemd's StateDirectory if there is one, else the user's own (XDG base directory specification)."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "neops-local"


async def previous_worker_ended(state_directory: Path, bound_seconds: float) -> None:
    """Wait until no worker has its directory any more, for so long at the most.

    Engine and worker of a run that was killed are killed with it, but clearing away what its jobs have started may take
    the worker a moment longer.
    """
    end = time.monotonic() + bound_seconds
    lock = state_directory / WORKER_DIRECTORY / "lock"
    while is_locked(lock) and time.monotonic() < end:  # noqa: ASYNC110  # a lock has no event to wait for
        await asyncio.sleep(_LOOK_SECONDS)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock of a state directory."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def announcements_directory() -> Path:
    """Return where running engines are announced: one place, whatever state directory each of them has."""
    return local_state_directory() / "running"


def where_engines_are_looked_for() -> str:
    """Say where `announcements_directory` is, and what has decided that."""
    deciding = next((name for name in ("STATE_DIRECTORY", "XDG_STATE_HOME") if os.environ.get(name)), None)
    why = f"{deciding} is {os.environ[deciding]}" if deciding else "XDG_STATE_HOME is not set"
    return f"{announcements_directory()} ({why})"
