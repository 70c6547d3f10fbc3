"""Where else a path is: a part of a file system can be mounted in more than one place (`/proc/self/mountinfo`). Pure.

A rule is about a file or directory, but what none is for is decided by the way there: a closed path would be open by
another one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """`root`, a directory in a file system, is seen at `place`."""

    device: str
    root: str
    place: str


def mounts_of(mountinfo: str) -> list[Mount]:
    """Read what the kernel says (proc_pid_mountinfo(5)), in its order: of two at one place the later one is seen."""
    mounts: list[Mount] = []
    for line in mountinfo.splitlines():
        _, _, device, root, place, *_ = line.split(" ")
        mounts.append(Mount(device, _plain(root), _plain(place)))
    return mounts


def other_places(path: str, mounts: Sequence[Mount]) -> Iterator[str]:
    """Yield the other paths of what is at `path`, and those at which something that is below it is mounted again."""
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


def _plain(field: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), field)
