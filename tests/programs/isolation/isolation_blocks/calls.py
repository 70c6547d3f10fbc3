"""System calls that Python lacks, by their numbers, and what refuses them."""

import ctypes
import os
import platform

NUMBERS = {
    "x86_64": {
        "add_key": 248,
        "clone": 56,
        "ioprio_set": 251,
        "keyctl": 250,
        "pidfd_getfd": 438,
        "pidfd_open": 434,
        "process_vm_readv": 310,
        "ptrace": 101,
        "rt_tgsigqueueinfo": 297,
        "sched_setattr": 314,
        "shmat": 30,
        "truncate": 76,
        "unshare": 272,
    },
    "aarch64": {
        "add_key": 217,
        "clone": 220,
        "ioprio_set": 30,
        "keyctl": 219,
        "pidfd_getfd": 438,
        "pidfd_open": 434,
        "process_vm_readv": 270,
        "ptrace": 117,
        "rt_tgsigqueueinfo": 240,
        "sched_setattr": 274,
        "shmat": 196,
        "truncate": 45,
        "unshare": 97,
    },
}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Make a system call. Raises `OSError`."""
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    ctypes.set_errno(0)
    answer: int = libc.syscall(ctypes.c_long(NUMBERS[name]), *given)
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return answer
