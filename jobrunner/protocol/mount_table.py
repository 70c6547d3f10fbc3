"""The mounts in /proc/self/mountinfo (proc_pid_mountinfo(5)). Pure.

It is here because the supervisor and its children both read them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
"""How the kernel writes blanks and the like. All else is unchanged, in any encoding."""


@dataclass(frozen=True, slots=True)
class MountEntry:
    """`root`, a directory in a file system of this `kind`, is visible at `place`. Of two at one place, the later is.

    `options` are those of this mount, and `kind_options` those of the whole file system.
    """

    device: str
    root: str
    place: str
    options: frozenset[str]
    kind: str
    kind_options: frozenset[str]


def read_mount_table(text: str) -> Iterator[MountEntry]:
    """Yield the kernel's list, in its order. A line that can't be read is skipped."""
    # Not `splitlines`: the kernel escapes only line feeds, and a name may have other characters that Python splits at.
    for line in text.split("\n"):
        mount, _, file_system = line.partition(" - ")
        about, source = mount.split(" "), file_system.split(" ")
        if len(about) < 6 or len(source) < 3:
            continue
        _, _, device, root, place, options, *_ = about
        yield MountEntry(
            device, _plain(root), _plain(place), _set_of(options), source[0], _set_of(source[-1])
        )


def _plain(field: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), field)


def _set_of(options: str) -> frozenset[str]:
    return frozenset(options.split(","))
