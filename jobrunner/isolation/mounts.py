"""What is mounted at a path, and at which other places, by `/proc/self/mountinfo`. Pure.

A part of a file system can be mounted in more than one place. A rule is about a file or directory; if there is none,
the path by which a process gets there decides. So a closed path could be open by another path.

Also, there may be nothing at a place before a process asks for it (autofs): to open that waits for its server.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobrunner.protocol.mount_table import read_mount_table


@dataclass(frozen=True, slots=True)
class Mount:
    """`root`, a directory in a file system, is visible at `place`."""

    device: str
    root: str
    place: str
    is_automount: bool = False
    """An automount: when somebody asks for it, another mount comes over it."""
    of_names: bool = False
    """An automount that exists itself; others are mounted at the names in it, as in `/net`."""


def mounts_of(mountinfo: str) -> list[Mount]:
    """Return the mounts in the kernel's order. If two are at one place, the later one is visible."""
    mounts: list[Mount] = []
    for entry in read_mount_table(mountinfo):
        is_automount = entry.kind == "autofs"
        of_names = is_automount and "indirect" in entry.kind_options
        mounts.append(Mount(entry.device, entry.root, entry.place, is_automount, of_names))
    return mounts


def waits_to_be_mounted(path: str, mounts: Sequence[Mount]) -> bool:
    """Return whether nothing is at `path` yet, but something is mounted there as soon as somebody asks for it."""
    if not any(mount.is_automount and _is_in(path, mount.place) for mount in mounts):
        return False
    own = _mount_of(path, mounts)
    if own is None or not own.is_automount or (own.of_names and own.place == path):
        return False
    # If something is mounted further down, somebody has asked already: then there is nothing to wait for here.
    return not any(_is_in(mount.place, path) and mount.place != path for mount in mounts)


def other_places(path: str, mounts: Sequence[Mount]) -> Iterator[str]:
    """Yield the other paths of what is at `path`, and the paths at which something below it is mounted again."""
    own = _mount_of(path, mounts)
    if own is None:
        return
    inside = _joined(own.root, _rest(path, own.place))
    for mount in mounts:
        if mount is own or mount.device != own.device:
            continue
        if _is_in(inside, mount.root):
            yield _joined(mount.place, _rest(inside, mount.root))
        elif _is_in(mount.root, inside):
            yield mount.place


def _mount_of(path: str, mounts: Sequence[Mount]) -> Mount | None:
    found: Mount | None = None
    for mount in mounts:
        if _is_in(path, mount.place) and (found is None or len(mount.place) >= len(found.place)):
            found = mount
    return found


def _is_in(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _rest(path: str, directory: str) -> str:
    return path[len(directory.rstrip("/")) :].lstrip("/")


def _joined(directory: str, rest: str) -> str:
    return f"{directory.rstrip('/')}/{rest}".rstrip("/") or "/"
