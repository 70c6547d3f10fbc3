"""A copy of the database of an engine that runs: the engine writes it, as it has the file for itself."""

import asyncio
import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

from supervisor.commands.local.announcement import Announcement, running_engines
from supervisor.commands.local.pair import no_proxy_for_the_loopback
from supervisor.commands.local.places import announcements_directory
from supervisor.engine.http import EngineAccess
from supervisor.engine.submission import Submissions
from supervisor.process.small_file import ordinary_file

_COPYING_SECONDS: Final = 600.0


def running_engine_of(state_dir: Path) -> Announcement | None:
    """Return the engine that `supervisor local` runs with this state directory; `None` where none is announced."""
    here = state_dir.resolve()
    for directory in dict.fromkeys((announcements_directory(), here / "running")):
        # Root makes the backup of a service that has a user of its own.
        owners = {os.geteuid(), here.stat().st_uid} if os.geteuid() == 0 else {os.geteuid()}
        for engine in running_engines(directory, owners):
            if engine.token_file.parent.resolve() == here:
                return engine
    return None


def copy_from_running(engine: Announcement, state_dir: Path, target: Path) -> None:
    """Have the engine copy its database, and move the copy to `target`. Raises `EngineError` and `OSError`."""
    # The name is ours, so that nothing else than what was just asked for is taken.
    name = secrets.token_hex(8)
    place = state_dir / f"backup-{name}.sqlite3"
    os.environ.update(no_proxy_for_the_loopback(os.environ))
    try:
        asyncio.run(_ask(engine, name))
        with (
            ordinary_file(place) as descriptor,
            open(descriptor, "rb", closefd=False) as copied,
            open(target, "xb", opener=_private) as file,
        ):
            shutil.copyfileobj(copied, file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            place.unlink()


async def _ask(engine: Announcement, name: str) -> None:
    access = EngineAccess(engine.url, request_seconds=_COPYING_SECONDS, token_file=engine.token_file)
    asked = Submissions(access)
    try:
        await asked.back_up(name)
    finally:
        await asked.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
