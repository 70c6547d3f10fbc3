"""Finds out which cgroups this worker may make: it makes one in each tree."""

import contextlib
import os
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from jobrunner.protocol import kernel_files
from supervisor.process.cgroups import delegation
from supervisor.process.cgroups.cgroup import Role, Tree
from supervisor.process.cgroups.cpu_time import USED_FILE
from supervisor.process.cgroups.files import KILL, PROCESSES, remove
from supervisor.process.cgroups.own_directories import OwnDirectory, own_directories

_CONTROLLERS: Final[tuple[Role, ...]] = ("memory", "pids")
"""Controllers that must be enabled in a tree of version 2."""

_ROLE_FILE: Final = {
    (1, "memory"): "memory.limit_in_bytes",
    (2, "memory"): "memory.max",
    (1, "pids"): "pids.max",
    (2, "pids"): "pids.max",
    **{(version, "cpu"): name for version, name in USED_FILE.items()},
}
"""The files that show what a tree can be used for."""

_NAMES_IN_VERSION_1: Final[tuple[tuple[Role, str], ...]] = (
    ("memory", "memory"),
    ("pids", "pids"),
    ("cpu", "cpuacct"),
)


@dataclass(slots=True)
class Detected:
    """What may be used, and in `reasons` why something may not. `give_back` undoes `own` at the end."""

    trees: tuple[Tree, ...] = ()
    reasons: list[str] = field(default_factory=list)
    own: Path | None = None
    handed_down: delegation.HandedDown = field(default_factory=delegation.HandedDown)

    def give_back(self) -> None:
        """Remove this worker's directories, which must be empty, and undo the changes to its own cgroup."""
        for tree in self.trees:
            remove(tree.directory)
        if self.own is not None:
            delegation.undo(self.own, self.handed_down)

    def __str__(self) -> str:
        """Return the roles, such as `kill, memory (v1), pids (v1), cpu (v2)`."""
        roles = {role: tree.version for tree in self.trees for role in tree.roles}
        words = [
            role if role == "kill" else f"{role} (v{roles[role]})"
            for role in ("kill", *_CONTROLLERS, "cpu")
            if role in roles
        ]
        return ", ".join(words)


def own_cgroups() -> list[OwnDirectory]:
    """Return this process's cgroups, as far as it can see them. Raises `OSError`."""
    candidates = own_directories(
        Path("/proc/self/cgroup").read_text(errors="surrogateescape"),
        Path("/proc/self/mountinfo").read_text(errors="surrogateescape"),
    )
    # This proves it, whatever was bound, nested or hidden: this process is in the cgroup.
    return [candidate for candidate in candidates if _holds_this_process(candidate)]


def _holds_this_process(directory: OwnDirectory) -> bool:
    try:
        return str(os.getpid()).encode() in kernel_files.read(Path(directory.path, PROCESSES)).split()
    except OSError:
        return False


def detect(own: list[OwnDirectory], name: str, ours: AbstractSet[int]) -> Detected:
    """Make a directory `name` below each of this worker's `own` cgroups, and see how it can be used.

    `ours` are the worker's own processes, which may have to move. Never raises.
    """
    detected = Detected()
    unified = next((one for one in own if one.version == 2), None)
    missing: set[Role] = {role for role, _ in _NAMES_IN_VERSION_1}
    if unified is not None:
        missing -= _use_unified(detected, Path(unified.path), name, ours)
    for role, name_there in _NAMES_IN_VERSION_1:
        tree = next((one for one in own if name_there in one.controllers), None)
        if role in missing and tree is not None:
            _use(detected, Path(tree.path), name, 1, frozenset({role}))
    if not own:
        detected.reasons.append("no cgroup of this process can be seen under /sys/fs/cgroup")
    return detected


def _use_unified(detected: Detected, own: Path, name: str, ours: AbstractSet[int]) -> set[Role]:
    """Use the tree of version 2; return the controllers that it has."""
    roles: set[Role] = set()
    if not os.access(own, os.W_OK):
        detected.reasons.append(f"{own} is not writable")
        return roles
    handed = delegation.hand_down(own, set(_CONTROLLERS), ours)
    if handed.missing:
        detected.reasons.append(handed.missing)
    detected.own, detected.handed_down = own, handed
    roles |= {role for role in _CONTROLLERS if role in handed.controllers}
    if _use(detected, own, name, 2, frozenset({"kill", "cpu", *roles})):
        return set(detected.trees[-1].roles)
    return set()


def _use(detected: Detected, own: Path, name: str, version: int, roles: frozenset[Role]) -> bool:
    directory = own / name
    try:
        directory.mkdir(mode=0o755, exist_ok=True)  # it exists if something in it could not be killed
        if version == 2 and (controllers := roles & set(_CONTROLLERS)):
            # Delegated once more: children's cgroups are below this one.
            wanted = " ".join(f"+{role}" for role in sorted(controllers))
            kernel_files.write(directory / "cgroup.subtree_control", wanted)
    except OSError as error:
        detected.reasons.append(f"{own}: {error.strerror}")
        with contextlib.suppress(OSError):
            directory.rmdir()
        return False
    offered: frozenset[Role] = frozenset(
        role for role in roles if (directory / (_ROLE_FILE.get((version, role), KILL))).exists()
    )
    detected.trees += (Tree(directory, version, offered),)
    return True
