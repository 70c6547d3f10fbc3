"""The archive: written in one go, readable for its owner alone, with a cap for each text and for all of them."""

import contextlib
import io
import os
import tarfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PART_CAP_BYTES: Final = 2 * 2**20
TOTAL_CAP_BYTES: Final = 24 * 2**20
_CUT: Final = "[… the beginning was cut: {bytes} bytes …]\n"


class Archive:
    """A new tar.gz at `path`, mode 0600, in a folder named like it. Texts only: no file is ever copied into it.

    It is made by `with`, which raises `FileExistsError` where something is at `path` already, a link included, and
    `OSError`, and leaves nothing behind when its block raises.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_out: list[str] = []
        """What is not in it, and why, in sentences."""
        self._folder = path.name.removesuffix(".tar.gz")
        self._total = 0

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:  # from here on, whatever ends this finds something to take away
            self._file = os.fdopen(descriptor, "wb")
            os.fchmod(self._file.fileno(), 0o600)  # whatever the umask has taken away
            self._tar = tarfile.open(fileobj=self._file, mode="w:gz")  # `__exit__` closes it
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_whole = False
        try:
            self._tar.close()
            self._file.close()
            is_whole = kind is None
        finally:
            if not is_whole:
                self.path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # a full disk says so again
                    self._file.close()

    def add(self, name: str, text: str, *, cut_before: int = 0) -> None:
        """Add a text. Of one that is too long, the end is kept: the last lines of a log say most.

        `cut_before` is how many bytes are missing before it already.
        """
        data = text.encode(errors="backslashreplace")
        cap = min(PART_CAP_BYTES, TOTAL_CAP_BYTES - self._total)
        if cap <= 0:
            self.left_out.append(f"{name}: the archive has {TOTAL_CAP_BYTES // 2**20} MB already.")
            return
        over = max(0, len(data) - cap)
        if cut := cut_before + over:
            self.left_out.append(f"{name}: the first {cut} bytes. A text has {cap} bytes here at most.")
            data = _CUT.format(bytes=cut).encode() + data[over:]
        self._write(name, data)

    def add_last(self, name: str, text: str) -> None:
        """Add what tells of the archive itself, whatever the cap says."""
        self._write(name, text.encode(errors="backslashreplace")[:PART_CAP_BYTES])

    def _write(self, name: str, data: bytes) -> None:
        self._total += len(data)
        entry = tarfile.TarInfo(f"{self._folder}/{name}")
        entry.size = len(data)
        entry.mode = 0o600
        entry.mtime = time.time()
        self._tar.addfile(entry, io.BytesIO(data))
