"""The archive: written in one pass, readable by its owner only, with a cap for each text and for all together."""

import contextlib
import io
import os
import signal
import tarfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PART_CAP_BYTES: Final = 2 * 2**20
TOTAL_CAP_BYTES: Final = 24 * 2**20
_ENDS_A_COMMAND: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CUT: Final = "[… the beginning was cut: {bytes} bytes …]\n"


class Archive:
    """A new tar.gz at `path`, mode 0600; its folder has the same name. It has only texts: no file is copied into it.

    Use it with `with`: this raises `FileExistsError` if there is something at `path` already, also a link, and
    `OSError`. If the block raises, nothing is left behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left_out: list[str] = []
        """Sentences that say what is missing in it, and why."""
        self._folder = path.name.removesuffix(".tar.gz")
        self._total = 0

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        # Else a signal could come when the file is there, and nobody knows of it yet.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS_A_COMMAND)
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except BaseException:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            raise
        try:  # from here on there is a file to remove on any failure
            # A signal that has come meanwhile is handled here.
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self._file = os.fdopen(descriptor, "wb")
            os.fchmod(self._file.fileno(), 0o600)  # the umask does not matter
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
                with contextlib.suppress(OSError):  # a full disk raises again
                    self._file.close()

    def add(self, name: str, text: str, *, cut_before: int = 0) -> None:
        """Add a text. If it is too long, its end is kept: the last lines of a log say most.

        `cut_before` is how many bytes are already missing before it.
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
        """Add a text about the archive itself, even above the cap."""
        self._write(name, text.encode(errors="backslashreplace")[:PART_CAP_BYTES])

    def _write(self, name: str, data: bytes) -> None:
        self._total += len(data)
        entry = tarfile.TarInfo(f"{self._folder}/{name}")
        entry.size = len(data)
        entry.mode = 0o600
        entry.mtime = time.time()
        self._tar.addfile(entry, io.BytesIO(data))
