"""Which folders of tests start no process, and the watch that holds this true.

All others are run as a user without rights too (`make unprivileged`): a new folder is, unless it is named here.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PURE_FOLDERS: Final = (
    "programs/fuzz",
    "programs/redaction",
    "sdk/concurrency",
    "sdk/connection/platforms",
    "supervisor/commands/local",
    "supervisor/engine",
    "supervisor/job/host_keys",
    "supervisor/lifecycle",
    "supervisor/verdict",
    "supervisor/worker/poller",
)

_PURE: Final = tuple(f"{Path(__file__).parent / folder}/" for folder in PURE_FOLDERS)

_STARTS: Final = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"})
_watching: list[list[str]] = []


def is_pure(file: Path) -> bool:
    """Whether a file of tests is in a folder that starts no process."""
    return str(file).startswith(_PURE)


def _note(event: str, _arguments: tuple[object, ...]) -> None:
    if _watching and event in _STARTS:
        _watching[-1].append(event)


sys.addaudithook(_note)


@contextmanager
def started_processes() -> Iterator[list[str]]:
    """Note each process that this one starts meanwhile, by the name of Python's audit event."""
    started: list[str] = []
    _watching.append(started)
    try:
        yield started
    finally:
        _watching.remove(started)
