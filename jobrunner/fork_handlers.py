"""Which loaded libraries may have asked to be called at each fork (pthread_atfork(3)). Their files show it."""

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NAMES: Final = (b"\0__register_atfork\0", b"\0pthread_atfork\0")
"""Names that a library needs to ask for it: glibc's `pthread_atfork` calls the first, other libraries the others."""

_OF_THE_C_LIBRARY: Final = re.compile(r"(libc|libpthread|ld-linux[^.]*|ld-musl[^.]*)[.-]")
_WITH_NOTHING_TO_DO: Final = re.compile(r"lib(scipy_)?openblas|libuuid\.")
"""OpenBLAS ends its threads before a fork, but a template has one thread. libuuid, which Python's `uuid` loads, forgets
its reserve of numbers from uuidd for time-based UUIDs; it uses none that is older than a second."""

# <elf.h>, for 64 bits.
_HEADER: Final = struct.Struct("=16xHHIQQQIHHH")
_SEGMENT: Final = struct.Struct("=IIQQQQQQ")
_ENTRY: Final = struct.Struct("=qQ")
_MAGIC: Final = b"\x7fELF\x02"
_LOADED: Final = 1
_DYNAMIC: Final = 2
_TABLE_OF_NAMES: Final = 5
_SIZE_OF_NAMES: Final = 10


def libraries_with_fork_handlers() -> list[str]:
    """Return the mapped files that may have registered such handlers. A file that can't be read counts as one.

    Raises `OSError` if the kernel does not say what is mapped.
    """
    return [path for path in _mapped_files() if _may_register(path)]


def _mapped_files() -> Iterator[str]:
    seen: set[str] = set()
    for line in Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines():
        fields = line.split(maxsplit=5)
        # Only mappings with code.
        if len(fields) == 6 and "x" in fields[1] and fields[5].startswith("/") and fields[5] not in seen:
            seen.add(fields[5])
            yield fields[5]


def _may_register(path: str) -> bool:
    name = os.path.basename(path)
    if _OF_THE_C_LIBRARY.match(name) or _WITH_NOTHING_TO_DO.match(name):
        return False
    try:
        names = _dynamic_names(path)
    except (OSError, struct.error, StopIteration):
        return True
    return any(wanted in names for wanted in _NAMES)


def _dynamic_names(path: str) -> bytes:
    """Return the names that a library needs and offers. Raises `OSError`, `struct.error` or `StopIteration`."""
    with open(path, "rb", buffering=0) as file:
        descriptor = file.fileno()
        header = os.pread(descriptor, _HEADER.size, 0)
        if not header.startswith(_MAGIC):
            raise OSError(f"{path} is no library of this machine")
        _, _, _, _, at, _, _, _, _, count = _HEADER.unpack(header)
        segments = list(_SEGMENT.iter_unpack(os.pread(descriptor, _SEGMENT.size * count, at)))
        dynamic = next(segment for segment in segments if segment[0] == _DYNAMIC)
        entries = dict(_ENTRY.iter_unpack(os.pread(descriptor, dynamic[5], dynamic[2])))
        address = entries.get(_TABLE_OF_NAMES, -1)
        offset = next(
            address - segment[3] + segment[2]
            for segment in segments
            if segment[0] == _LOADED and segment[3] <= address < segment[3] + segment[5]
        )
        return os.pread(descriptor, entries.get(_SIZE_OF_NAMES, 0), offset)
