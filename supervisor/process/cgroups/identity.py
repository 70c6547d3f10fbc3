"""The identity that links cgroups and processes to one worker. It belongs to the worker's state directory."""

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Final

from supervisor.process.small_file import read_small_file, replace_file

MARKER_VARIABLE: Final = "NEOPS_WORKER"
"""Every process that a job starts inherits it: by it the next start recognises what the last worker left."""

_FILE: Final = "identity"
_NAME_PREFIX: Final = "neops-worker-"


def identity_of(state_directory: Path) -> str:
    """Return the identity of the worker with this state directory, 16 hexadecimal digits; make it if it is new.

    It is random, because containers with the same path must differ. It is bound to the directory's inode, because a
    copy must differ. Call it while the directory's lock is held. Raises `OSError`.
    """
    file = state_directory / _FILE
    try:
        token = read_small_file(file).decode("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        token = ""
    if not re.fullmatch(r"[0-9a-f]{32}", token):
        token = secrets.token_hex(16)
        replace_file(file, token.encode() + b"\n")
    status = os.stat(state_directory)
    text = f"{token}:{status.st_dev}:{status.st_ino}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def directory_name(identity: str) -> str:
    """Return the name of the worker's directory in each tree."""
    return _NAME_PREFIX + identity
