"""Gives back pages that were needed only to load libraries: a template imports much that only jobs use."""

import ctypes
import re
from collections.abc import Iterator
from typing import Final

_MADV_DONTNEED: Final = 4
"""<linux/mman.h>: forget these pages of the process. The kernel reads a file's pages again when they are needed."""

_LEAST_KB: Final = 128

_MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-[-x]p [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ [1-9][0-9]* ")
_KB: Final = re.compile(r"(\w+): +([0-9]+) kB")

_libc = ctypes.CDLL(None, use_errno=True)


def give_back() -> int:
    """Give back the pages of libraries' code and constants that only this process uses. Return the number of bytes.

    To load a library touches most of its pages. The file's content stays in the kernel's cache while there is room.
    If a page of a mapping was written to (for example by the loader), the mapping is left alone: the page would be
    lost. Only for a process with one thread. Returns 0 if the kernel does not show its mappings.
    """
    try:
        with open("/proc/self/smaps") as file:
            lines = file.readlines()
    except OSError:
        return 0
    return sum(found for start, end, found in _own_code(lines) if _forget(start, end))


def _own_code(lines: list[str]) -> Iterator[tuple[int, int, int]]:
    """Yield begin, end and used bytes of each mapping that is large enough."""
    place: tuple[int, int] | None = None
    used_kb: dict[str, int] = {}
    for line in [*lines, "end"]:
        if amount := _KB.match(line):
            used_kb[amount[1]] = int(amount[2])
            continue
        if line.startswith("VmFlags"):
            continue
        own_kb = used_kb.get("Private_Clean", 0)
        if place is not None and own_kb >= _LEAST_KB and used_kb.get("Anonymous") == 0:
            yield *place, own_kb * 1024
        mapping = _MAPPING.match(line)
        place = (int(mapping[1], 16), int(mapping[2], 16)) if mapping else None
        used_kb = {}


def _forget(start: int, end: int) -> bool:
    refused: int = _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)
    return refused == 0
