"""Reads the text of a module, even if its path is no ordinary file."""

import os
import stat
from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 1024 * 1024
"""Limit for a module's text. A larger one holds data, and would take a second to parse."""

_TOO_LARGE: Final = f"it is larger than {LARGEST_BYTES // 1024} KiB, and is not read"
_NO_FILE: Final = "it is not a regular file"


def read_text(file: Path) -> bytes | str | OSError:
    """Return the bytes of `file`, the reason not to read it, or the error that prevents it."""
    try:
        # To read a pipe would wait.
        with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return _NO_FILE
            source = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        return error
    return _TOO_LARGE if len(source) > LARGEST_BYTES else source
