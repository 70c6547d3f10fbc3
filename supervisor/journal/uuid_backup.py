"""A second copy of this worker's uuid beside the journal: the engine must know the worker if the journal is damaged."""

import contextlib
import re
from pathlib import Path
from typing import Final

from supervisor.process.small_file import read_small_file, replace_file

FILE: Final = "worker_uuid"
_UUID: Final = re.compile(r"[!-~]{1,200}")


class UuidBackup:
    """One value in a file of its own. No method raises: it is only used if the journal has no value."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """Return the value, `None` if there is none or it can't be used."""
        try:
            text = read_small_file(self._path).decode("ascii").strip()
        except (OSError, ValueError):
            return None
        return text if _UUID.fullmatch(text) else None

    def write(self, value: str) -> None:
        """Replace the value in one step. Call it in a thread."""
        with contextlib.suppress(OSError):
            replace_file(self._path, value.encode() + b"\n")
