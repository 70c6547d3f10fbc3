"""Keys that the kernel keeps for a user beyond the end of its last process (keyrings(7))."""

import ctypes
import platform
from typing import Final

_KEYCTL_NUMBER: Final = {"x86_64": 250, "aarch64": 219, "riscv64": 219}
# <linux/keyctl.h>
_CLEAR: Final = 7
_GET_PERSISTENT: Final = 22
_OF_THIS_PROCESS: Final = -2
_OF_THE_USER: Final = (-4, -5)
"""The user's keyring, and that of its sessions."""


def clear_keys_of_user() -> None:
    """Remove all keys of this process's user: a job that had the same user before may have left some.

    Does nothing where the kernel has no keys, or refuses (in many containers).
    """
    number = _KEYCTL_NUMBER.get(platform.machine())
    if number is None:
        return
    libc = ctypes.CDLL(None, use_errno=True)

    def keyctl(operation: int, *arguments: int) -> int:
        result: int = libc.syscall(number, operation, *map(ctypes.c_long, arguments))
        return result

    for keyring in _OF_THE_USER:
        keyctl(_CLEAR, keyring)
    persistent = keyctl(_GET_PERSISTENT, -1, _OF_THIS_PROCESS)
    if persistent >= 0:
        keyctl(_CLEAR, persistent)
