"""Reading the text of a module, whatever stands in its place."""

import os
import stat
from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 1024 * 1024
"""Of a module's text. What is larger holds data, and would take a second to parse."""

_TOO_LARGE: Final = f"it is larger than {LARGEST_BYTES // 1024} KiB, and is not read"
_NO_FILE: Final = "it is not a regular file"


def read_text(file: Path) -> bytes | str | OSError:
    """Return the bytes of `file`, the reason why it is not to be read, or the error for which it can't be."""
    try:
        # A pipe would be waited for.
        with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return _NO_FILE
            source = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        return error
    return _TOO_LARGE if len(source) > LARGEST_BYTES else source
