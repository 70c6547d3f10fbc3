"""The content of a worker's state directory: names and sizes of files, and the journal's claims without payloads."""

import os
import stat
from pathlib import Path
from typing import Any, Final

from supervisor.commands.journal.output import summary_of
from supervisor.commands.support_bundle.collection import LeftOutError
from supervisor.errors import SupervisorError
from supervisor.journal.offline import journal_in, read_entries
from supervisor.process.user_names import user_name

_MOST_ENTRIES: Final = 2000
_MOST_CLAIMS: Final = 1000
_DEPTH: Final = 2


def listing(directory: Path) -> dict[str, Any]:
    """Return names, kinds, sizes, modes and owners of the entries, two levels deep; no content, no link followed.

    Raises `LeftOutError` if the directory can't be read.
    """
    try:
        space = os.statvfs(directory)
        entries: list[dict[str, Any]] = []
        _list(directory, "", _DEPTH, entries)
    except OSError as error:
        raise LeftOutError(f"{directory} can't be read: {error.strerror}.") from None
    return {
        "directory": str(directory),
        "free_mb": space.f_bavail * space.f_frsize // 2**20,
        "free_files": space.f_favail,
        "entries": entries,
        "cut": len(entries) >= _MOST_ENTRIES,
    }


def _list(directory: Path, below: str, depth: int, entries: list[dict[str, Any]]) -> None:
    with os.scandir(directory) as found:
        for entry in sorted(found, key=lambda each: each.name):
            if len(entries) >= _MOST_ENTRIES:
                return
            status = entry.stat(follow_symlinks=False)
            entries.append(
                {
                    "name": below + entry.name,
                    "mode": stat.filemode(status.st_mode),
                    "owner": user_name(status.st_uid),
                    "bytes": status.st_size,
                    "changed": round(status.st_mtime),
                }
            )
            if depth > 1 and entry.is_dir(follow_symlinks=False):
                try:
                    _list(Path(entry.path), f"{below}{entry.name}/", depth - 1, entries)
                except OSError as error:
                    entries[-1]["problem"] = error.strerror


def journal(directory: Path) -> dict[str, Any]:
    """Return the claims whose result the engine does not have: ids, states, times, sizes. Never a payload or result.

    Raises `LeftOutError`.
    """
    try:
        entries = read_entries(journal_in(directory))
    except SupervisorError as error:
        raise LeftOutError(str(error)) from None
    states = [entry.state for entry in entries]
    return {
        "counts": {state: states.count(state) for state in sorted(set(states))},
        "claims": [summary_of(entry) for entry in entries[:_MOST_CLAIMS]],
        "cut": len(entries) > _MOST_CLAIMS,
    }
