"""The worker's log as a file: the command that runs the worker writes it, commands that wait for a job follow it."""

import contextlib
import os
from pathlib import Path
from typing import Final

_LARGEST_BYTES: Final = 16 * 2**20
_READ_BYTES: Final = 2**20


class WorkerLogFile:
    """Appends lines to a file, and keeps one earlier file. The constructor raises `OSError`; later failures lose lines.

    Readable by its owner only: blocks log whatever they like.
    """

    def __init__(self, path: Path, largest_bytes: int = _LARGEST_BYTES) -> None:
        self._path = path
        self._largest_bytes = largest_bytes
        self._descriptor = self._open()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path, flags, 0o600)

    def append(self, line: str) -> None:
        """Append one line. If the disk is full, this file loses lines, and the worker goes on."""
        with contextlib.suppress(OSError):
            if os.fstat(self._descriptor).st_nlink == 0:
                # Somebody has removed it: nobody can see what is written to it, or what space it takes.
                self._open_anew()
            os.write(self._descriptor, f"{line}\n".encode(errors="backslashreplace"))
            if os.fstat(self._descriptor).st_size >= self._largest_bytes:
                # If the last try stopped half way, it was renamed already: then only the new file is missing.
                with contextlib.suppress(FileNotFoundError):
                    self._path.replace(self._path.with_name(f"{self._path.name}.1"))
                self._open_anew()

    def _open_anew(self) -> None:
        """Continue in the file with this name; make it if it is missing."""
        before, self._descriptor = self._descriptor, self._open()
        os.close(before)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class Follower:
    """Reads what is appended to such a file from now on. A missing file has no lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = self._open()
        self._rest = b""
        if self._descriptor is not None:
            os.lseek(self._descriptor, 0, os.SEEK_END)

    def _open(self) -> int | None:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None

    def new_lines(self) -> list[str]:
        """Return the complete lines that have come since the last call."""
        data = self._rest + self._read()
        if self._was_replaced():
            self.close()
            self._descriptor = self._open()
            data += self._read()
        *lines, self._rest = data.split(b"\n")
        return [line.decode(errors="backslashreplace") for line in lines]

    def _read(self) -> bytes:
        if self._descriptor is None:
            return b""
        parts = iter(lambda: os.read(self._descriptor or 0, _READ_BYTES), b"")
        return b"".join(parts)

    def _was_replaced(self) -> bool:
        try:
            named = self._path.stat()
        except OSError:
            return False
        return self._descriptor is None or os.fstat(self._descriptor).st_ino != named.st_ino

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
