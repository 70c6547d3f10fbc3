"""The system calls with which a process leaves its process group, and who leads the new group then.

A child makes the kernel ask the supervisor about each of them (`jobrunner.group_filter`). So the supervisor knows every
process group of a job. A signal to a group is one step of the kernel, and no fork is faster.
"""

import platform
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Numbers:
    """The kernel's name of an architecture (<linux/audit.h>), and its numbers of the two calls, and of prctl."""

    architecture: int
    setsid: int
    setpgid: int
    prctl: int


@dataclass(frozen=True, slots=True)
class GroupCall:
    """A call in which a process waits. `process` and `group` are the arguments of setpgid, 0 for setsid."""

    process: int
    group: int


# <linux/audit.h>
X86_64: Final = 0xC000003E
I386: Final = 0x40000003
AARCH64: Final = 0xC00000B7
ARM: Final = 0x40000028

X32_BIT: Final = 0x40000000
"""A bit in the number of each call of an x32 program. Otherwise such a program looks like one of x86-64."""

_NUMBERS: Final = {
    "x86_64": (
        Numbers(X86_64, setsid=112, setpgid=109, prctl=157),
        Numbers(X86_64, setsid=112 | X32_BIT, setpgid=109 | X32_BIT, prctl=157 | X32_BIT),
        Numbers(I386, setsid=66, setpgid=57, prctl=172),
    ),
    "aarch64": (
        Numbers(AARCH64, setsid=157, setpgid=154, prctl=167),
        Numbers(ARM, setsid=66, setpgid=57, prctl=172),
    ),
}
SECCOMP_NUMBER: Final = {"x86_64": 317, "aarch64": 277}
"""The number of seccomp(2) itself."""

ASK_ACTION: Final = 0x7FC00000
"""A filter's answer that makes the kernel ask another process (`SECCOMP_RET_USER_NOTIF`, <linux/seccomp.h>)."""


def known_numbers(machine: str | None = None) -> tuple[Numbers, ...]:
    """Return the numbers for all kinds of programs that `machine` (default: this one) runs; none if unknown."""
    return _NUMBERS.get(machine or platform.machine(), ())


def read_call(architecture: int, number: int, arguments: tuple[int, int]) -> GroupCall | None:
    """Return what a call asks for; `None` for a call that is neither of the two."""
    for numbers in (numbers for kinds in _NUMBERS.values() for numbers in kinds):
        if numbers.architecture == architecture and number == numbers.setsid:
            return GroupCall(0, 0)
        if numbers.architecture == architecture and number == numbers.setpgid:
            return GroupCall(*(_as_pid(argument) for argument in arguments))
    return None


def _as_pid(argument: int) -> int:
    """Return an argument as the kernel reads it: the lower half of the register, with its sign."""
    return ((argument & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def leader_after(call: GroupCall, caller: int) -> int | None:
    """Return the leader of the group that `call` of the process `caller` would make; `None` if it makes no group.

    A group that a process joins exists already, and its leader has asked for it.
    """
    process = call.process or caller
    return process if (call.group or process) == process and process > 0 else None
