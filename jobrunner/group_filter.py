"""Having the kernel ask the supervisor before a process of this job leaves its process group (seccomp)."""

import os
from collections.abc import Sequence
from typing import Final

from jobrunner.isolation.bpf import (
    ALL_THREADS,
    ALLOW,
    ARCHITECTURE_OFFSET,
    JUMP_IF_EQUAL,
    LEAVE_SPECULATION_ALONE,
    LOAD,
    NUMBER_OFFSET,
    RETURN,
    Instruction,
    assembled,
    install,
)
from jobrunner.protocol.group_calls import ASK_ACTION, Numbers, known_numbers

# <linux/seccomp.h>
_NEW_LISTENER: Final = 1 << 3
_FAIL_IF_A_THREAD_DIFFERS: Final = 1 << 4  # a listener for all threads needs it (Linux 5.7)
_ONLY_A_KILL_INTERRUPTS: Final = 1 << 5  # once the supervisor has taken the call (Linux 5.19)


def filter_program(kinds: Sequence[Numbers]) -> bytes:
    """Return a filter that asks about setsid and setpgid and allows everything else."""
    program: list[Instruction] = []
    for numbers in kinds:
        # Six instructions for each kind; a jump counts from the instruction after it.
        program += [
            (LOAD, 0, 0, ARCHITECTURE_OFFSET),
            (JUMP_IF_EQUAL, 0, 4, numbers.architecture),
            (LOAD, 0, 0, NUMBER_OFFSET),
            (JUMP_IF_EQUAL, 1, 0, numbers.setsid),
            (JUMP_IF_EQUAL, 0, 1, numbers.setpgid),
            (RETURN, 0, 0, ASK_ACTION),
        ]
    program.append((RETURN, 0, 0, ALLOW))
    return assembled(program)


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
    flags = _NEW_LISTENER | ALL_THREADS | _FAIL_IF_A_THREAD_DIFFERS | LEAVE_SPECULATION_ALONE
    for further in (_ONLY_A_KILL_INTERRUPTS, 0):
        try:
            listener = install(program, flags | further)
        except OSError:
            continue
        os.set_inheritable(listener, False)
        return listener
    return None
