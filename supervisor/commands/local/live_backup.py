"""A copy of a running engine's database. The engine makes it, because it alone may use the file."""

import asyncio
import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from supervisor.commands.local.announcement import Announcement, running_engines
from supervisor.commands.local.others_state import copy_bytes, owned
from supervisor.commands.local.pair import no_proxy_for_the_loopback
from supervisor.commands.local.places import announcements_directory
from supervisor.engine.http import EngineAccess
from supervisor.engine.submission import Submissions
from supervisor.errors import EngineError, StartRefusedError

_COPYING_SECONDS: Final = 600.0


def running_engine_of(state_dir: Path) -> Announcement | None:
    """Return the engine that `supervisor local` runs with this state directory; `None` if none is announced."""
    here = state_dir.resolve()
    for directory in dict.fromkeys((announcements_directory(), here / "running")):
        # Root may make the backup of a service with its own user.
        owners = {os.geteuid(), here.stat().st_uid} if os.geteuid() == 0 else {os.geteuid()}
        for engine in running_engines(directory, owners):
            if engine.token_file.parent.resolve() == here:
                return engine
    return None


def copy_from_running(engine: Announcement, folder: int, target: Path) -> None:
    """Let the engine copy its database into its state directory, `folder`, and move the copy to `target`.

    Raises `EngineError`, `StateDirectoryError` and `OSError`.
    """
    # We choose the name, so that only the requested copy is taken.
    name = secrets.token_hex(8)
    place = f"backup-{name}.sqlite3"
    os.environ.update(no_proxy_for_the_loopback(os.environ))
    try:
        with owned(engine.token_file.name, folder) as token:
            _have_it_copied(engine, name, token)
        with owned(place, folder) as copied:
            copy_bytes(copied, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(place, dir_fd=folder)


def _have_it_copied(engine: Announcement, name: str, token: int) -> None:
    """Ask with the token in this open file. By its name, its owner could make root send another file."""
    file = Path(f"/proc/self/fd/{token}")
    try:
        asyncio.run(_ask(engine.url, name, file))
    except (EngineError, StartRefusedError) as error:
        raise EngineError(str(error).replace(str(file), str(engine.token_file))) from error


async def _ask(url: str, name: str, token_file: Path) -> None:
    asked = Submissions(EngineAccess(url, request_seconds=_COPYING_SECONDS, token_file=token_file))
    try:
        await asked.back_up(name)
    finally:
        await asked.close()
