"""What an attempt is: it does one thing that a job may or may not do, and raises `OSError` where it is refused."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

OPEN, CLOSED, ERROR = "open", "closed", "error"
_REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOKEY)


@dataclass(frozen=True)
class Targets:
    """Where everything is that an attempt is made on."""

    state: str
    token: str
    blocks: str
    packages: str
    backup: str
    exchange: str
    beside: str
    """A directory with marked paths in it: nothing new can be made there."""
    cgroup: str
    socket: str
    abstract: str
    worker: int
    sibling: int
    sibling_directory: str
    sibling_abstract: str
    sibling_secret: int
    sibling_secret_bytes: int
    sibling_segment: int


Run = Callable[[Targets], None]
ATTEMPTS: dict[str, Run] = {}


def attempt(run: Run) -> Run:
    """Register an attempt under the name of its function."""
    ATTEMPTS[run.__name__] = run
    return run


def outcome(run: Run, targets: Targets) -> dict[str, Any]:
    """Make an attempt, and say what became of it. An error that is no refusal is told as one."""
    try:
        run(targets)
    except OSError as error:
        # A hard link or a rename across directories: Landlock of version 1 answers as for two file systems.
        refused = error.errno in _REFUSALS or error.errno == errno.EXDEV
        return {"seen": CLOSED if refused else ERROR, "why": str(error)}
    except Exception as error:
        return {"seen": ERROR, "why": f"{type(error).__name__}: {error}"}
    return {"seen": OPEN, "why": ""}
