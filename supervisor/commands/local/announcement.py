"""How `supervisor submit` finds an engine on this machine: a small file for each, with its process's number as name."""

import contextlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from supervisor.process.proc import read_stat
from supervisor.process.small_file import ordinary_file, read_small_file

_CAP_BYTES = 4096
_BEGAN: Final = "process_began"
"""In the file, beside the announcement: a number alone may be another process's, as after a power failure."""


class Announcement(BaseModel):
    """An engine that runs here. `started_at` is seconds since the epoch, `worker_log` is the path of the worker's log,
    and `token_file` the file with the engine's token."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str
    pid: int
    command: Literal["local", "dev"]
    started_at: float
    worker_log: Path
    token_file: Path


@contextmanager
def announced(directory: Path, announcement: Announcement) -> Iterator[None]:
    """Keep `announcement` in `directory` for as long as the context lasts. Raises `OSError`."""
    # One by one: with `parents`, the umask would decide the mode of the directories above.
    for place in (directory.parent, directory):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / f"{announcement.pid}.json"
    new = file.with_suffix(f".new-{announcement.pid}")
    said = {**announcement.model_dump(mode="json"), _BEGAN: _began(announcement.pid)}
    new.write_text(json.dumps(said), encoding="utf-8")
    # In one step: a reader must not find half of it.
    new.replace(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()


def running_engines(directory: Path, owners: Collection[int] | None = None) -> list[Announcement]:
    """Return the announced engines whose process lives, the last started one first.

    Only announcements of `owners` count; by default, of the user of this process.
    """
    trusted = {os.geteuid()} if owners is None else owners
    found = [each for file in _files(directory) if (each := _read(file, trusted)) is not None]
    return sorted(found, key=lambda announcement: announcement.started_at, reverse=True)


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(directory.glob("*.json"))
    except OSError:
        return []


def _read(file: Path, owners: Collection[int]) -> Announcement | None:
    """Return the announcement in a file. If a killed process has left it, remove it."""
    try:
        # Only trusted owners' files: parameters and context, which may hold passwords, are sent to its address.
        with ordinary_file(file) as descriptor:
            if os.fstat(descriptor).st_uid not in owners:
                return None
            said: Any = json.loads(os.read(descriptor, _CAP_BYTES))
            announcement = Announcement.model_validate(said)
    except (OSError, ValueError, RecursionError):
        return None
    began = _began(announcement.pid)
    if began is not None and said.get(_BEGAN, began) == began:  # an earlier version has not written it
        return announcement
    with contextlib.suppress(OSError):
        file.unlink()
    return None


def _began(pid: int) -> str | None:
    """Return what tells a process from all that have had, or will have, its number; `None` where there is none."""
    found = read_stat(pid)
    if found is None:
        return None
    boot = b""
    with contextlib.suppress(OSError):
        boot = read_small_file(Path("/proc/sys/kernel/random/boot_id"), _CAP_BYTES).strip()
    return f"{boot.decode(errors='replace')} {found.started}"
