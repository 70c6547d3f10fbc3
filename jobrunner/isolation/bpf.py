"""Small programs that the kernel runs at each system call (seccomp(2)), and how to install one."""

import ctypes
import os
import platform
import struct
from collections.abc import Iterable
from typing import Final

from jobrunner.protocol.group_calls import SECCOMP_NUMBER

# <linux/seccomp.h>
_SET_MODE_FILTER: Final = 1
ALL_THREADS: Final = 1 << 0
LEAVE_SPECULATION_ALONE: Final = 1 << 2
ALLOW: Final = 0x7FFF0000
_FAIL: Final = 0x00050000

# <linux/bpf_common.h>
LOAD: Final = 0x20
JUMP_IF_EQUAL: Final = 0x15
JUMP_IF_AT_LEAST: Final = 0x35
JUMP_IF_ANY_BIT: Final = 0x45
RETURN: Final = 0x06

# struct seccomp_data
NUMBER_OFFSET: Final = 0
ARCHITECTURE_OFFSET: Final = 4
_ARGUMENTS_OFFSET: Final = 16

INSTRUCTION: Final = struct.Struct("=HBBI")

_libc = ctypes.CDLL(None, use_errno=True)  # once for a template and its children, because it makes a class

Instruction = tuple[int, int, int, int]
"""What to do, how many instructions to skip if a comparison is true, and how many if it is false, and a value."""


def fail_with(number: int) -> int:
    """Return the answer with which a system call fails with an error of this number."""
    return _FAIL | number


def lower_half(argument: int) -> int:
    """Return the place of the lower 32 bits of an argument, on machines that store these first."""
    return _ARGUMENTS_OFFSET + 8 * argument


def upper_half(argument: int) -> int:
    """Return the place of the upper 32 bits of an argument."""
    return lower_half(argument) + 4


def assembled(program: Iterable[Instruction]) -> bytes:
    """Return a program in the form that the kernel accepts."""
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in program)


def install(program: bytes, flags: int) -> int:
    """Make the kernel run `program` at each call from now on. Returns what seccomp(2) returns; raises `OSError`.

    Needs no privilege once `no_new_privs` is set.
    """
    # Not with a buffer of the program's length: that would make a class each time, in each child.
    place = ctypes.cast(ctypes.c_char_p(program), ctypes.c_void_p).value
    # struct sock_fprog: the number of instructions, and their address.
    given = struct.pack("HP", len(program) // INSTRUCTION.size, place)
    result: int = _libc.syscall(SECCOMP_NUMBER[platform.machine()], _SET_MODE_FILTER, flags, given)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")
    return result
