"""Who this worker is, once more beside the journal: a damaged journal must not make it a stranger to its engine."""

import contextlib
import re
from pathlib import Path
from typing import Final

from supervisor.process.small_file import read_small_file, replace_file

FILE: Final = "worker_uuid"
_UUID: Final = re.compile(r"[!-~]{1,200}")


class UuidBackup:
    """One value in a file of its own. No method raises: it is only what is left where the journal has nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """Return the value, `None` where there is none that can be used."""
        try:
            text = read_small_file(self._path).decode("ascii").strip()
        except (OSError, ValueError):
            return None
        return text if _UUID.fullmatch(text) else None

    def write(self, value: str) -> None:
        """Replace the value in one step. To be called in a thread."""
        with contextlib.suppress(OSError):
            replace_file(self._path, value.encode() + b"\n")
