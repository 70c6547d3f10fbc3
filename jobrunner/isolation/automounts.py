"""Asks for file systems that are mounted on demand (autofs, systemd's automount units), without waiting for them."""

import contextlib
import os
from collections.abc import Sequence
from typing import Final, NoReturn

from jobrunner.protocol import linux

_MOUNTS: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""With this flag, the kernel mounts what belongs at a path, although nothing of it is read (open(2))."""


def ask_for_mounts(places: Sequence[str]) -> None:
    """Mount what these places wait for, by a process that waits for it: a server that is away takes minutes.

    Jobs can reach it as soon as a look at the shared paths has found it. If no such process can start, the first job
    that goes there causes the mount, and is refused.
    """
    parent = os.getpid()
    if places:
        with contextlib.suppress(OSError):
            if os.fork() == 0:
                _ask(places, parent)


def _ask(places: Sequence[str], parent: int) -> NoReturn:
    try:
        linux.die_with_parent()
        # Its copies of descriptors would hide from the supervisor that another process has ended.
        linux.close_from(0)
        for place in places:
            if os.getppid() == parent:
                with contextlib.suppress(OSError):
                    os.close(os.open(place, _MOUNTS))
    finally:
        os._exit(0)
