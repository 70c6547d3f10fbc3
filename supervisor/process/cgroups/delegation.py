"""Version 2 alone: delegates controllers to children's cgroups.

A cgroup that delegates controllers may hold no processes itself (cgroups(7), "no internal processes"; the root is
exempt). Under systemd's `Delegate=yes` the worker's processes are in the cgroup that was delegated to them: they first
move to a leaf below it. Other programs' processes are never moved.
"""

import contextlib
import os
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups.files import PROCESSES, processes

LEAF: Final = "worker"
_HANDED_DOWN: Final = "cgroup.subtree_control"


@dataclass(frozen=True, slots=True)
class HandedDown:
    """The controllers that children's cgroups get, those that they don't get and why, and what must be undone."""

    controllers: frozenset[str] = frozenset()
    missing: str = ""
    enabled_here: frozenset[str] = frozenset()
    moved: bool = False


def hand_down(own: Path, wanted: AbstractSet[str], ours: AbstractSet[int]) -> HandedDown:
    """Enable the `wanted` controllers, if they exist, for cgroups below `own`. Only the processes in `ours` may be
    moved. Never raises: on a failure the controller is missing, and everything is as before.
    """
    try:
        available = wanted & set(kernel_files.read(own / "cgroup.controllers").decode().split())
        already = available & set(kernel_files.read(own / _HANDED_DOWN).decode().split())
        if available == already:
            return HandedDown(frozenset(already))
        return _enable(own, frozenset(available), frozenset(already), ours)
    except OSError as error:
        return HandedDown(missing=f"{own}: {error.strerror}")


def _enable(
    own: Path, available: frozenset[str], already: frozenset[str], ours: AbstractSet[int]
) -> HandedDown:
    missing = available - already
    is_root = not (own / "cgroup.type").exists()
    here = set() if is_root else _directly_in(own)
    if here - ours:
        text = f"{own} also holds processes that are not this worker's ({', '.join(map(str, sorted(here - ours)))})"
        return HandedDown(already, text)
    try:
        if here:
            (own / LEAF).mkdir(exist_ok=True)
            for pid in here:
                kernel_files.write(own / LEAF / PROCESSES, str(pid))
        kernel_files.write(own / _HANDED_DOWN, " ".join(f"+{name}" for name in sorted(missing)))
    except OSError as error:
        undo(own, HandedDown(moved=bool(here)))
        return HandedDown(already, f"{own}: {error.strerror}")
    return HandedDown(available, "", missing, bool(here))


def undo(own: Path, done: HandedDown) -> None:
    """Take the controllers back and move the processes back, so that the next start finds the same as this one.

    Call it when no cgroup of a child is left. It does what it can, and ignores errors.
    """
    with contextlib.suppress(OSError):
        if done.enabled_here:
            kernel_files.write(own / _HANDED_DOWN, " ".join(f"-{name}" for name in sorted(done.enabled_here)))
        if done.moved:
            for pid in processes(own / LEAF):
                kernel_files.write(own / PROCESSES, str(pid))
            os.rmdir(own / LEAF)


def _directly_in(own: Path) -> set[int]:
    return {int(line) for line in kernel_files.read(own / PROCESSES).split()}
