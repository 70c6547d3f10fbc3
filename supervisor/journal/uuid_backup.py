"""Who this worker is, once more beside the journal: a damaged journal must not make it a stranger to its engine."""

import contextlib
import os
import re
from pathlib import Path
from typing import Final

_UUID: Final = re.compile(r"[!-~]{1,200}")


class UuidBackup:
    """One value in a file of its own. No method raises: it is only what is left where the journal has nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """Return the value, `None` where there is none that can be used."""
        try:
            text = self._path.read_bytes()[:1000].decode("ascii").strip()
        except (OSError, ValueError):
            return None
        return text if _UUID.fullmatch(text) else None

    def write(self, value: str) -> None:
        """Replace the value in one step. To be called in a thread."""
        new = self._path.with_name(self._path.name + ".new")
        with contextlib.suppress(OSError):
            descriptor = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, value.encode() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(new, self._path)
            _sync_directory(self._path.parent)


def _sync_directory(directory: Path) -> None:
    # Else a power failure may bring the old file back, or none.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
