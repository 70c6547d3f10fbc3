"""Which folders of tests start no process, and the watch that holds this true.

All others are run as a user without rights too (`make unprivileged`): a new folder is, unless it is named here.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PURE_FOLDERS: Final = (
    "programs/fuzz",
    "programs/redaction",
    "sdk/concurrency",
    "sdk/connection/platforms",
    "supervisor/commands/local",
    "supervisor/engine",
    "supervisor/host_keys",
    "supervisor/lifecycle",
    "supervisor/verdict",
    "supervisor/worker/poller",
)

_STARTS: Final = frozenset({"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"})
_watching: list[list[str]] = []


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
