"""The system calls by which a process leaves its process group, and who leads the new group then.

A child has the kernel ask the supervisor about each of them (`jobrunner.group_filter`), so that the supervisor knows
every process group of a job: a signal to a group is one step of the kernel, which no fork gets ahead of.
"""

import platform
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the kernel calls an architecture (<linux/audit.h>), and its numbers of the two calls, and of prctl."""

    architecture: int
    setsid: int
    setpgid: int
    prctl: int


@dataclass(frozen=True, slots=True)
class GroupCall:
    """A call that a process waits in. `process` and `group` are the arguments of setpgid, 0 for setsid."""

    process: int
    group: int


# <linux/audit.h>
X86_64: Final = 0xC000003E
I386: Final = 0x40000003
AARCH64: Final = 0xC00000B7
ARM: Final = 0x40000028

X32_BIT: Final = 0x40000000
"""Set in the number of each call of an x32 program, which otherwise passes for one of x86-64."""

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
"""What a filter answers to have the kernel ask another process (`SECCOMP_RET_USER_NOTIF`, <linux/seccomp.h>)."""


def known_numbers(machine: str | None = None) -> tuple[Numbers, ...]:
    """Return the numbers of all kinds of programs that `machine` (this one) runs; none where they are not known."""
    return _NUMBERS.get(machine or platform.machine(), ())


def read_call(architecture: int, number: int, arguments: tuple[int, int]) -> GroupCall | None:
    """Return what a call asks for; `None` for a call that is none of the two."""
    for numbers in (numbers for kinds in _NUMBERS.values() for numbers in kinds):
        if numbers.architecture == architecture and number == numbers.setsid:
            return GroupCall(0, 0)
        if numbers.architecture == architecture and number == numbers.setpgid:
            return GroupCall(*(_as_pid(argument) for argument in arguments))
    return None


def _as_pid(argument: int) -> int:
    """Return an argument as the kernel takes it: the lower half of the register, with its sign."""
    return ((argument & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def leader_after(call: GroupCall, caller: int) -> int | None:
    """Return who leads the group that `call` of the process `caller` would make; `None` where it makes none.

    A group that a process joins is there already, and was asked for by its leader.
    """
    process = call.process or caller
    return process if (call.group or process) == process and process > 0 else None
