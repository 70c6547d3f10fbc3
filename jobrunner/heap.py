"""The heap of a template, which its children share: made so that a fork is cheap, and that they keep sharing it."""

import ctypes
import gc
import re
from collections.abc import Iterator
from typing import Final

_MADV_COLLAPSE: Final = 25
"""<linux/mman.h>, since Linux 6.1: what is there becomes huge pages now, whatever the setting for such pages says."""

_HUGE_PAGE_BYTES: Final = 2 << 20
"""Of x86-64, and of arm64 with pages of 4 KiB. Where it is another one, the kernel refuses, and nothing is lost."""

_PRIVATE: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p [0-9a-f]+ 00:00 0 *(?:\[heap\])?\n")

_libc = ctypes.CDLL(None, use_errno=True)


def freeze() -> None:
    """Have no collection of a child touch, and so copy, what exists now."""
    gc.collect()
    gc.freeze()


def collapse() -> int:
    """Make huge pages of the heap, and return how many bytes of it the kernel has taken; 0 where it can't.

    A fork copies the table of pages: one entry in place of 512. That halves its time. What a child writes to is split
    again, and copied by small pages. For a process with one thread, when it has all that it will share.
    """
    return sum(end - start for start, end in _whole_huge_pages() if _collapse(start, end))


def _whole_huge_pages() -> Iterator[tuple[int, int]]:
    try:
        with open("/proc/self/maps") as file:
            maps = file.read()
    except OSError:
        return
    for found in _PRIVATE.finditer(maps):
        first = -(-int(found[1], 16) // _HUGE_PAGE_BYTES)
        beyond = int(found[2], 16) // _HUGE_PAGE_BYTES
        if beyond > first:
            yield first * _HUGE_PAGE_BYTES, beyond * _HUGE_PAGE_BYTES


def _collapse(start: int, end: int) -> bool:
    refused: int = _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE)
    return refused == 0
