"""A fork whose parent is this process's own parent (clone(2), CLONE_PARENT): the supervisor's child from the start.

In all else it is `os.fork`: Python's own steps before and after it run, also those of `os.register_at_fork`. What the C
library does at a fork is done here, or there is nothing to do. `can_fork_once` says whether that is true.
"""

import ctypes
import functools
import os
import platform
from dataclasses import dataclass
from typing import Any, Final

from jobrunner.fork_handlers import libraries_with_fork_handlers

# <linux/sched.h>
_CLONE_PARENT: Final = 0x8000
_CLONE_CHILD_CLEARTID: Final = 0x200000
_CLONE_CHILD_SETTID: Final = 0x1000000
_SIGCHLD: Final = 17

_PR_GET_TID_ADDRESS: Final = 40  # <linux/prctl.h>
_ROBUST_LIST_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class _Calls:
    """The numbers of three system calls, and whether clone's fourth argument is the place of the thread's number."""

    clone: int
    set_robust_list: int
    get_robust_list: int
    number_is_fourth: bool


_CALLS: Final = {
    "x86_64": _Calls(clone=56, set_robust_list=273, get_robust_list=274, number_is_fourth=True),
    "aarch64": _Calls(clone=220, set_robust_list=99, get_robust_list=100, number_is_fourth=False),
}

# This thread keeps the interpreter during the call: in the child there is nobody to give it back.
_libc = ctypes.PyDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long


def can_fork_once() -> bool:
    """Return whether `fork_from_parent` is safe in this process now, as far as one can know without a fork.

    It is not if the process has more than one thread, if the C library keeps a thread's number in another place than it
    tells the kernel (or if the kernel does not say), or if a library may want to be called at each fork, for example
    to restart its random numbers in the child.
    """
    try:
        return (
            platform.machine() in _CALLS
            and len(os.listdir("/proc/self/task")) == 1
            and _number_address() is not None
            and not libraries_with_fork_handlers()
        )
    except OSError:
        return False


def fork_from_parent() -> int:
    """Fork. Returns the child's pid, and 0 in the child. The child's parent is this process's parent.

    Raises `OSError`. Call it only if `can_fork_once` has returned true.
    """
    clone, set_robust_list = _arguments()
    ctypes.pythonapi.PyOS_BeforeFork()
    pid: int = _syscall(*clone)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        # The kernel has not kept it for the child.
        _syscall(*set_robust_list)
        return 0
    error = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(error, os.strerror(error))
    return pid


@functools.cache
def _arguments() -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the arguments of both system calls, made once for all forks of this process, and for the forks of these.

    The C library's data about the one thread are at the same place in each of them.
    """
    calls, address = _CALLS[platform.machine()], _number_address()
    flags = _CLONE_PARENT | _CLONE_CHILD_SETTID | _CLONE_CHILD_CLEARTID | _SIGCHLD
    # The C library keeps the thread's number there, and the child has a different one.
    last = (address, None) if calls.number_is_fourth else (None, address)
    clone = (
        ctypes.c_long(calls.clone),
        ctypes.c_ulong(flags),
        *map(ctypes.c_void_p, (None, None, *last)),
    )
    set_robust_list = (
        ctypes.c_long(calls.set_robust_list),
        _robust_list(calls),
        ctypes.c_size_t(_ROBUST_LIST_BYTES),
    )
    return clone, set_robust_list


def _number_address() -> int | None:
    """Return where the C library keeps the main thread's number, `None` if that is not known."""
    address = ctypes.c_void_p()
    if _libc.prctl(_PR_GET_TID_ADDRESS, ctypes.byref(address), 0, 0, 0) != 0 or not address.value:
        return None
    # musl makes the kernel clear something else when a thread ends.
    is_there = ctypes.c_int.from_address(address.value).value == os.getpid()
    return address.value if is_there else None


def _robust_list(calls: _Calls) -> ctypes.c_void_p:
    head, length = ctypes.c_void_p(), ctypes.c_size_t()
    _syscall(ctypes.c_long(calls.get_robust_list), ctypes.c_long(0), ctypes.byref(head), ctypes.byref(length))
    return head
