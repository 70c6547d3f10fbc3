"""Asking for file systems that are mounted on demand (autofs, systemd's automount units), without waiting for them."""

import contextlib
import os
from collections.abc import Sequence
from typing import Final, NoReturn

from jobrunner.protocol import linux

_MOUNTS: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""The kernel mounts what is at a path that must be a directory, although nothing of it is read (open(2))."""


def ask_for_mounts(places: Sequence[str]) -> None:
    """Have what waits at these places mounted, by a process that waits for it: a server that is away takes minutes.

    Jobs can reach it as soon as a look at the shared paths has found it. Where there can be no such process, the first
    job that goes there has it mounted, and is refused.
    """
    parent = os.getpid()
    if places:
        with contextlib.suppress(OSError):
            if os.fork() == 0:
                _ask(places, parent)


def _ask(places: Sequence[str], parent: int) -> NoReturn:
    try:
        linux.die_with_parent()
        # The supervisor must not hear this process in the place of one that has ended.
        linux.close_from(0)
        for place in places:
            if os.getppid() == parent:
                with contextlib.suppress(OSError):
                    os.close(os.open(place, _MOUNTS))
    finally:
        os._exit(0)
