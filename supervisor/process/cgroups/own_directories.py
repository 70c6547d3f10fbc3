"""Where this process's own cgroups are, from the text of /proc/self/cgroup and /proc/self/mountinfo. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class OwnDirectory:
    """A directory that may be this process's own cgroup. `controllers` are those of version 1, else empty."""

    path: str
    version: int
    controllers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Mount:
    point: str
    root: str
    version: int
    options: frozenset[str]


def own_directories(membership: str, mounts: str) -> list[OwnDirectory]:
    """Return the directories that this process's cgroups should have, by cgroups(7) and proc(5).

    A line that can't be understood is passed over. So is a cgroup that lies outside of what is mounted, as in a
    container that shares the mount but not the namespace of its host. Of mounts at one place the last one shows.
    """
    visible = {mount.point: mount for mount in _mounts(mounts)}
    found: list[OwnDirectory] = []
    for controllers, path in _memberships(membership):
        for mount in visible.values():
            if mount.version == (1 if controllers else 2) and controllers <= mount.options:
                below = _below(path, mount.root)
                if below is not None:
                    directory = mount.point.rstrip("/") + below
                    found.append(OwnDirectory(directory or "/", mount.version, controllers))
    return found


def _memberships(text: str) -> Iterator[tuple[frozenset[str], str]]:
    for line in text.splitlines():
        parts = line.split(":", 2)  # the path may hold colons
        if len(parts) == 3 and parts[2].startswith("/"):
            yield frozenset(filter(None, parts[1].split(","))), parts[2].removesuffix(" (deleted)")


def _mounts(text: str) -> Iterator[_Mount]:
    for line in text.splitlines():
        left, found, right = line.partition(" - ")
        place, kind = left.split(" "), right.split(" ")
        if not found or len(place) < 6 or len(kind) < 3 or kind[0] not in {"cgroup", "cgroup2"}:
            continue
        version = 2 if kind[0] == "cgroup2" else 1
        yield _Mount(_unescape(place[4]), _unescape(place[3]), version, frozenset(kind[2].split(",")))


def _unescape(path: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), path)


def _below(path: str, root: str) -> str | None:
    """Return `path` as seen from `root`, empty for the root itself, or `None` where it is outside of it."""
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
