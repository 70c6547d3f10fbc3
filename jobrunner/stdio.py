"""Sends what a block prints to the supervisor at once, whatever happens to the process."""

import contextlib
import io
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_TURN_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 0.0005


class _Through(io.BufferedWriter):
    """Keeps nothing back. A file without a buffer would lose the rest of a text that a signal cuts in the pipe.

    `print` writes its parts one by one, so the lines of two threads could mix. If a thread finds an unfinished line of
    another thread, it waits a moment for its end, and otherwise goes on in that line.
    """

    _unfinished_by: int | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write and flush."""
        me = threading.get_ident()
        latest = None
        while self._unfinished_by not in (None, me):
            now = time.monotonic()
            latest = latest or now + _TURN_SECONDS
            if now >= latest:
                break
            time.sleep(_LOOK_SECONDS)
        self._unfinished_by = None if isinstance(data, bytes) and data.endswith(b"\n") else me
        count = super().write(data)
        self.flush()
        return count


def bind_input() -> None:
    """Make `sys.stdin` read descriptor 0, wherever it was opened before."""
    stream = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    for name in ("stdin", "__stdin__"):
        setattr(sys, name, stream)


def unbuffer_output() -> None:
    """Write printed text at once, in any encoding, also unfinished lines: a kill flushes nothing."""
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = _Through(io.FileIO(descriptor, "w", closefd=False))
        stream = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def flush_output() -> None:
    """Write what a block left in Python's buffers. A block may have closed them."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
