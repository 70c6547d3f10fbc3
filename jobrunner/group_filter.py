"""Makes the kernel ask the supervisor before a process of this job leaves its process group (seccomp).

It also refuses calls that would take processes of this job out of its tree: nobody would count them then.
"""

import errno
import functools
import os
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
    fail_with,
    install,
    lower_half,
    upper_half,
)
from jobrunner.protocol.group_calls import ASK_ACTION, Numbers, known_numbers
from jobrunner.protocol.linux import PR_SET_CHILD_SUBREAPER

# <linux/seccomp.h>
_NEW_LISTENER: Final = 1 << 3
_FAIL_IF_A_THREAD_DIFFERS: Final = 1 << 4  # a listener for all threads needs it (Linux 5.7)
_ONLY_A_KILL_INTERRUPTS: Final = 1 << 5  # once the supervisor has taken the call (Linux 5.19)


_KEEP_SUBREAPER: Final[list[Instruction]] = [
    (LOAD, 0, 0, lower_half(0)),
    (JUMP_IF_EQUAL, 0, 5, PR_SET_CHILD_SUBREAPER),
    (LOAD, 0, 0, lower_half(1)),
    (JUMP_IF_EQUAL, 0, 3, 0),
    (LOAD, 0, 0, upper_half(1)),
    (JUMP_IF_EQUAL, 0, 1, 0),
    (RETURN, 0, 0, fail_with(errno.EPERM)),
]
"""For prctl. To become a subreaper, as some programs do that start others, takes nothing out of the tree."""


@functools.cache
def filter_program(kinds: tuple[Numbers, ...]) -> bytes:
    """Return a filter that asks about setsid and setpgid and allows everything else, with one exception.

    A process can't stop being a subreaper (PR_SET_CHILD_SUBREAPER): EPERM. The child is one, so a process that has lost
    its parent stays below the child, where the limits of a job without a cgroup are counted.
    """
    refusal = _KEEP_SUBREAPER
    program: list[Instruction] = []
    for numbers in kinds:
        # Numbers come first: then the kernel remembers that all other calls are allowed (Linux 5.11).
        calls: list[Instruction] = [
            (LOAD, 0, 0, NUMBER_OFFSET),
            (JUMP_IF_EQUAL, 1, 0, numbers.setsid),
            (JUMP_IF_EQUAL, 0, 1, numbers.setpgid),
            (RETURN, 0, 0, ASK_ACTION),
            (JUMP_IF_EQUAL, 0, len(refusal), numbers.prctl),
            *refusal,
        ]
        # A jump counts from the instruction after it.
        program += [
            (LOAD, 0, 0, ARCHITECTURE_OFFSET),
            (JUMP_IF_EQUAL, 0, len(calls), numbers.architecture),
            *calls,
        ]
    program.append((RETURN, 0, 0, ALLOW))
    return assembled(program)


def prepare_group_filter() -> None:
    """Make the filter once in a template, for all its children."""
    filter_program(known_numbers())


def ask_before_leaving_the_group() -> int | None:
    """Filter this process and all that it starts from now on. Returns the descriptor that answers, for the supervisor.

    Returns `None`, and changes nothing, if the kernel can't do it, or if another program already answers for this
    process (for example around the worker's container). Needs no privilege once `no_new_privs` is set.
    The holder of the descriptor must answer: without a holder the two calls fail with ENOSYS.
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
