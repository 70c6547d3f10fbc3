"""The numbers of the system calls that a child refuses, or checks closely, on each kind of machine."""

import platform
from dataclasses import dataclass
from typing import Final

from jobrunner.keyrings import KEYCTL_NUMBER
from jobrunner.protocol.group_calls import AARCH64, ARM, I386, X86_64


@dataclass(frozen=True, slots=True)
class CallNumbers:
    """The kernel's name of an architecture (<linux/audit.h>), and its numbers of these calls."""

    architecture: int
    clone: int
    clone3: int
    ptrace: int
    process_vm_readv: int
    process_vm_writev: int
    keyctl: int
    add_key: int
    request_key: int
    prlimit64: int
    sched_setaffinity: int
    sched_setscheduler: int
    sched_setparam: int
    sched_setattr: int
    setpriority: int
    ioprio_set: int
    splice: int
    sendfile: int
    sendfile64: int
    """The same as `sendfile` if one call serves files of any size."""
    io_uring_setup: int
    userfaultfd: int
    fcntl: int
    fcntl64: int
    """The same as `fcntl` if one call serves files of any size."""


_X86_64: Final = CallNumbers(
    X86_64,
    clone=56,
    clone3=435,
    ptrace=101,
    process_vm_readv=310,
    process_vm_writev=311,
    keyctl=KEYCTL_NUMBER["x86_64"],
    add_key=248,
    request_key=249,
    prlimit64=302,
    sched_setaffinity=203,
    sched_setscheduler=144,
    sched_setparam=142,
    sched_setattr=314,
    setpriority=141,
    ioprio_set=251,
    splice=275,
    sendfile=40,
    sendfile64=40,
    io_uring_setup=425,
    userfaultfd=323,
    fcntl=72,
    fcntl64=72,
)
_I386: Final = CallNumbers(
    I386,
    clone=120,
    clone3=435,
    ptrace=26,
    process_vm_readv=347,
    process_vm_writev=348,
    keyctl=288,
    add_key=286,
    request_key=287,
    prlimit64=340,
    sched_setaffinity=241,
    sched_setscheduler=156,
    sched_setparam=154,
    sched_setattr=351,
    setpriority=97,
    ioprio_set=289,
    splice=313,
    sendfile=187,
    sendfile64=239,
    io_uring_setup=425,
    userfaultfd=374,
    fcntl=55,
    fcntl64=221,
)
_AARCH64: Final = CallNumbers(
    AARCH64,
    clone=220,
    clone3=435,
    ptrace=117,
    process_vm_readv=270,
    process_vm_writev=271,
    keyctl=KEYCTL_NUMBER["aarch64"],
    add_key=217,
    request_key=218,
    prlimit64=261,
    sched_setaffinity=122,
    sched_setscheduler=119,
    sched_setparam=118,
    sched_setattr=274,
    setpriority=140,
    ioprio_set=30,
    splice=76,
    sendfile=71,
    sendfile64=71,
    io_uring_setup=425,
    userfaultfd=282,
    fcntl=25,
    fcntl64=25,
)
_ARM: Final = CallNumbers(
    ARM,
    clone=120,
    clone3=435,
    ptrace=26,
    process_vm_readv=376,
    process_vm_writev=377,
    keyctl=311,
    add_key=309,
    request_key=310,
    prlimit64=369,
    sched_setaffinity=241,
    sched_setscheduler=156,
    sched_setparam=154,
    sched_setattr=380,
    setpriority=97,
    ioprio_set=314,
    splice=340,
    sendfile=187,
    sendfile64=239,
    io_uring_setup=425,
    userfaultfd=388,
    fcntl=55,
    fcntl64=221,
)
_NUMBERS: Final = {"x86_64": (_X86_64, _I386), "aarch64": (_AARCH64, _ARM)}


def known_call_numbers(machine: str | None = None) -> tuple[CallNumbers, ...]:
    """Return the numbers for all kinds of programs that `machine` (default: this one) runs; none if they are unknown.

    Without those of the x32 programs of x86-64: the filter refuses all their calls.
    """
    return _NUMBERS.get(machine or platform.machine(), ())
