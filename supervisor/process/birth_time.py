"""When a file was made. The kernel knows (statx(2)), but `os.stat` does not return it on Linux."""

import ctypes
import struct
from typing import Final

# <linux/stat.h>, <fcntl.h>
_AT_EMPTY_PATH: Final = 0x1000
_STATX_BTIME: Final = 0x800
_BYTES: Final = 256
_BIRTH_OFFSET: Final = 80
"""The offset of `stx_btime` in `struct statx`: seconds (64 bits), then nanoseconds (32 bits)."""

_libc = ctypes.CDLL(None, use_errno=True)


def birth_time_ns(descriptor: int) -> int | None:
    """Return when an open file or directory was made, in nanoseconds since the epoch.

    `None` if the file system or the C library does not know. No program can set it: a copy has its own time.
    """
    buffer = ctypes.create_string_buffer(_BYTES)
    try:
        failed = _libc.statx(descriptor, b"", _AT_EMPTY_PATH, _STATX_BTIME, buffer)
    except AttributeError:  # a C library without statx
        return None
    (mask,) = struct.unpack_from("=I", buffer)
    if failed or not mask & _STATX_BTIME:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", buffer, _BIRTH_OFFSET)
    return int(seconds * 1_000_000_000 + nanoseconds) or None
