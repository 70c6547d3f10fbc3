"""How this kernel can isolate a process from others. It asks the kernel, and starts nothing."""

import ctypes
import errno
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.group_calls import SECCOMP_NUMBER

# Landlock came after system call numbers were unified: they are the same on every architecture.
_LANDLOCK_CREATE_RULESET: Final = 444
_CREATE_RULESET_VERSION: Final = 1
_SECCOMP_SET_MODE_FILTER: Final = 1  # <linux/seccomp.h>
_KEYCTL_NUMBER: Final = {"x86_64": 250, "aarch64": 219}
_KEYCTL_GET_KEYRING_ID: Final = 0  # <linux/keyctl.h>
_KEY_SPEC_SESSION_KEYRING: Final = -3

_NO_LANDLOCK: Final = {
    errno.ENOSYS: "this kernel has none (it came with Linux 5.13)",
    errno.EOPNOTSUPP: "it is turned off (the kernel's parameter lsm= does not name it)",
    errno.EPERM: "a filter of system calls forbids it (the container's, or the service's)",
}
_NO_SECCOMP: Final = {
    errno.ENOSYS: "this kernel has none",
    errno.EINVAL: "this kernel was built without filters",
    errno.EPERM: "a filter of system calls forbids it (the container's, or the service's)",
}

Call = Callable[[int, int, int, int], int]
"""One system call: its number and three arguments. Returns the answer, or the negative number of the error."""


@dataclass(frozen=True, slots=True)
class KernelIsolation:
    """What can be used here. `landlock_abi` 0 is none. If something is missing, the two texts say why."""

    landlock_abi: int = 0
    seccomp: bool = False
    session_keyring: bool = False
    no_landlock: str = ""
    no_seccomp: str = ""


def system_call(number: int, first: int, second: int, third: int) -> int:
    """Make a system call whose arguments are numbers (0 is also a null pointer)."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = int(libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, (first, second, third))))
    return -ctypes.get_errno() if answer < 0 else answer


def detect(call: Call = system_call, machine: str | None = None) -> KernelIsolation:
    """Find out what the kernel offers. Tests give a `call` and a `machine` of another kernel."""
    machine = machine or platform.machine()
    abi = call(_LANDLOCK_CREATE_RULESET, 0, 0, _CREATE_RULESET_VERSION)
    no_seccomp = _why_no_seccomp(call, machine)
    keyring = _KEYCTL_NUMBER.get(machine)
    # A process without its own keyring gets ENOKEY: then keyrings exist, and this call is allowed.
    has_keyrings = keyring is not None and call(
        keyring, _KEYCTL_GET_KEYRING_ID, _KEY_SPEC_SESSION_KEYRING, 0
    ) not in (-errno.ENOSYS, -errno.EPERM, -errno.EACCES, -errno.EOPNOTSUPP)
    return KernelIsolation(
        landlock_abi=max(abi, 0),
        seccomp=not no_seccomp,
        session_keyring=has_keyrings,
        no_landlock="" if abi > 0 else _NO_LANDLOCK.get(-abi, f"the kernel says {_name(-abi)}"),
        no_seccomp=no_seccomp,
    )


def _why_no_seccomp(call: Call, machine: str) -> str:
    number = SECCOMP_NUMBER.get(machine)
    if number is None:
        return f"the worker does not know the numbers of system calls on {machine}"
    # Without a filter the call always fails. If filters exist, it fails because address 0 has none (seccomp(2)).
    error = -call(number, _SECCOMP_SET_MODE_FILTER, 0, 0)
    return "" if error == errno.EFAULT else _NO_SECCOMP.get(error, f"the kernel says {_name(error)}")


def _name(number: int) -> str:
    return errno.errorcode.get(number, str(number))
