"""Keys that the kernel keeps for a user after the end of the user's last process (keyrings(7))."""

import ctypes
import platform
from typing import Final

KEYCTL_NUMBER: Final = {"x86_64": 250, "aarch64": 219, "riscv64": 219}
"""The number of keyctl(2), by machine."""

# <linux/keyctl.h>
_JOIN_SESSION_KEYRING: Final = 1
_CLEAR: Final = 7
_GET_PERSISTENT: Final = 22
_OF_THIS_PROCESS: Final = -2
_OF_THE_USER: Final = (-4, -5)
"""The user's keyring, and that of its sessions."""

_libc = ctypes.CDLL(None, use_errno=True)  # once for a template and its children, because it makes a class


def leave_session_keyring() -> bool:
    """Get an empty session keyring for this process. The one before holds tickets of the user who started the worker.

    Returns whether it has one now. It has none if the kernel has no keys, if a container refuses (many do), or if the
    user may have no more.
    """
    return _keyctl(_JOIN_SESSION_KEYRING, 0) >= 0


def clear_keys_of_user() -> None:
    """Remove all keys of this process's user: an earlier job with the same user may have left some.

    Does nothing if the kernel has no keys, or refuses (in many containers).
    """
    for keyring in _OF_THE_USER:
        _keyctl(_CLEAR, keyring)
    persistent = _keyctl(_GET_PERSISTENT, -1, _OF_THIS_PROCESS)
    if persistent >= 0:
        _keyctl(_CLEAR, persistent)


def _keyctl(operation: int, *arguments: int) -> int:
    """Call keyctl(2). Returns its answer, -1 if there is none."""
    number = KEYCTL_NUMBER.get(platform.machine())
    if number is None:
        return -1
    result: int = _libc.syscall(number, operation, *map(ctypes.c_long, arguments))
    return result
