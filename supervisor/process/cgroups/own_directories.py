"""This process's own cgroups, from the text of /proc/self/cgroup and /proc/self/mountinfo. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.mount_table import read_mount_table

_VERSIONS: Final = {"cgroup": 1, "cgroup2": 2}


@dataclass(frozen=True, slots=True)
class OwnDirectory:
    """A directory that may be this process's own cgroup. `controllers` are those of version 1, otherwise empty."""

    path: str
    version: int
    controllers: frozenset[str] = frozenset()


def own_directories(membership: str, mounts: str) -> list[OwnDirectory]:
    """Return the directories that this process's cgroups should have, by cgroups(7) and proc(5).

    It skips a line that it can't understand. It also skips a cgroup outside of the mounted part, as in a container
    that shares its host's mount but not its namespace. Of several mounts at one place, the last one is visible.
    """
    visible = {mount.place: mount for mount in read_mount_table(mounts)}
    found: list[OwnDirectory] = []
    for controllers, path in _memberships(membership):
        for mount in visible.values():
            version = _VERSIONS.get(mount.kind, 0)
            if version == (1 if controllers else 2) and controllers <= mount.kind_options:
                below = _below(path, mount.root)
                if below is not None:
                    directory = mount.place.rstrip("/") + below
                    found.append(OwnDirectory(directory or "/", version, controllers))
    return found


def _memberships(text: str) -> Iterator[tuple[frozenset[str], str]]:
    for line in text.splitlines():
        parts = line.split(":", 2)  # the path may contain colons
        if len(parts) == 3 and parts[2].startswith("/"):
            yield frozenset(filter(None, parts[1].split(","))), parts[2].removesuffix(" (deleted)")


def _below(path: str, root: str) -> str | None:
    """Return `path` relative to `root`, empty for the root itself, or `None` if it is outside of it."""
    if path.startswith("/..") or root.startswith("/.."):  # outside of this process's cgroup namespace
        return None
    if root == "/":
        return "" if path == "/" else path
    if path == root:
        return ""
    return path.removeprefix(root) if path.startswith(root + "/") else None


def counts(text: bytes) -> dict[str, int]:
    """Return the numbers of a file with lines such as `oom_kill 1` (memory.events, memory.oom_control)."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0].decode(): int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
