"""Having the kernel ask the supervisor before a process of this job leaves its process group (seccomp)."""

import ctypes
import os
import platform
import struct
from collections.abc import Sequence
from typing import Final

from jobrunner.protocol.group_calls import ASK_ACTION, SECCOMP_NUMBER, Numbers, known_numbers

# <linux/seccomp.h>
_SET_MODE_FILTER: Final = 1
_ALL_THREADS: Final = 1 << 0
_LEAVE_SPECULATION_ALONE: Final = 1 << 2
_NEW_LISTENER: Final = 1 << 3
_FAIL_IF_A_THREAD_DIFFERS: Final = 1 << 4  # a listener for all threads needs it (Linux 5.7)
_ONLY_A_KILL_INTERRUPTS: Final = 1 << 5  # once the supervisor has taken the call (Linux 5.19)
_ALLOW: Final = 0x7FFF0000

# <linux/bpf_common.h>; struct seccomp_data begins with the call's number and the architecture.
_LOAD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_RETURN: Final = 0x06
_NUMBER_OFFSET: Final = 0
_ARCHITECTURE_OFFSET: Final = 4
_INSTRUCTION: Final = struct.Struct("=HBBI")


def filter_program(kinds: Sequence[Numbers]) -> bytes:
    """Return a filter that asks about setsid and setpgid and allows everything else."""
    program: list[tuple[int, int, int, int]] = []
    for numbers in kinds:
        # Six instructions for each kind; a jump counts from the instruction after it.
        program += [
            (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
            (_JUMP_IF_EQUAL, 0, 4, numbers.architecture),
            (_LOAD, 0, 0, _NUMBER_OFFSET),
            (_JUMP_IF_EQUAL, 1, 0, numbers.setsid),
            (_JUMP_IF_EQUAL, 0, 1, numbers.setpgid),
            (_RETURN, 0, 0, ASK_ACTION),
        ]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(_INSTRUCTION.pack(code, true, false, value) for code, true, false, value in program)


def ask_before_leaving_the_group() -> int | None:
    """Filter this process and all it starts from now on. Returns the descriptor that answers, for the supervisor.

    Returns `None`, and changes nothing, where the kernel can't, or where somebody else already answers for this
    process (the worker may run in a container that does). Needs no privilege once there are no new ones.
    Whoever holds the descriptor has to answer: without a holder the two calls fail with ENOSYS.
    """
    kinds = known_numbers()
    if not kinds:
        return None
    program = filter_program(kinds)
    buffer = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: how many instructions, and where.
    given = struct.pack("HP", len(program) // _INSTRUCTION.size, ctypes.addressof(buffer))
    flags = _NEW_LISTENER | _ALL_THREADS | _FAIL_IF_A_THREAD_DIFFERS | _LEAVE_SPECULATION_ALONE
    libc = ctypes.CDLL(None, use_errno=True)
    for further in (_ONLY_A_KILL_INTERRUPTS, 0):
        listener: int = libc.syscall(
            SECCOMP_NUMBER[platform.machine()], _SET_MODE_FILTER, flags | further, given
        )
        if listener >= 0:
            os.set_inheritable(listener, False)
            return listener
    return None
