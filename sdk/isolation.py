"""A hint for the author if the kernel has refused a block something, and the worker's isolation may be the reason.

The job runner tells this module in each job which paths are open. Without it, for example in a notebook, there is no
isolation.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Callable, Iterator

IsOpen = Callable[[str], bool]
"""Whether the rules for files let a job read and write this path, which is absolute and resolved."""

_HINT = (
    "If the job's user may do this, the worker's isolation has refused it (settings --isolation and "
    "--writable-paths): docs/how-to/isolation.md says what jobs can't do."
)
_MOST_LOOKED_AT = 50
_OF_A_PROCESS = re.compile(r"/proc/(\d+|self|thread-self)/")

_is_open: IsOpen | None = None


def use_isolation(is_open: IsOpen | None) -> None:
    """Make this process use these rules from now on; `None` if its job may use everything."""
    global _is_open
    _is_open = is_open


def isolation_hint(error: BaseException) -> str:
    """A sentence for an error that the isolation may have caused, "" for all others.

    It searches `error`, its causes and the members of its group. There is no hint for an open path (there the kernel
    has decided by the file's mode), nor for `EACCES` without a path (that is an address, such as a low port).
    """
    if _is_open is None:
        return ""
    refused = (each for each in _all_of(error) if isinstance(each, PermissionError))
    return _HINT if any(_may_be_isolation(each, _is_open) for each in refused) else ""


def _may_be_isolation(error: PermissionError, is_open: IsOpen) -> bool:
    paths = [path for path in map(_resolved, (error.filename, error.filename2)) if path is not None]
    if not paths:
        return error.errno == errno.EPERM
    return any(_is_of_another_process(path) or not is_open(path) for path in paths)


def _resolved(path: object) -> str | None:
    if not isinstance(path, str | bytes | os.PathLike):
        return None
    with contextlib.suppress(OSError, ValueError):
        return os.path.realpath(os.fsdecode(path))
    return None


def _is_of_another_process(path: str) -> bool:
    """Memory, files and the like in `/proc`. No rule for files names them; the kernel refuses to trace a process."""
    found = _OF_A_PROCESS.match(path)
    return found is not None and found[1] not in (str(os.getpid()), "self", "thread-self")


def _all_of(error: BaseException) -> Iterator[BaseException]:
    todo, seen = [error], set[int]()
    while todo and len(seen) < _MOST_LOOKED_AT:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if each.__cause__ is not None:
            todo.append(each.__cause__)
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions
