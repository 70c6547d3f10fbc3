"""`python -m tests.programs.redteam.told_worker [--filtered] SOCKET FLAGS`: the worker, and a systemd that listens.

`SOCKET` is where it is told of the worker (sd_notify(3)). `--filtered`: under the filter of system calls that
`SystemCallFilter=~@resources` makes, under which no child can lower its priority.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import Final

from supervisor.cli import main

_RESOURCES: Final = {
    "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144, "setrlimit": 160, "sched_setaffinity": 203,
    "mbind": 237, "set_mempolicy": 238, "ioprio_set": 251, "migrate_pages": 256, "move_pages": 279,
    "sched_setattr": 314,
}  # fmt: skip
"""systemd's group, by the numbers of x86-64 (<asm/unistd_64.h>)."""

FILTERED_ON: Final = "x86_64"

# <linux/filter.h>, <linux/seccomp.h>, <linux/prctl.h>
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def forbid_resources() -> None:
    """Have the kernel refuse those calls with EPERM from now on, to this process and all that it starts."""
    assert platform.machine() == FILTERED_ON
    program = [struct.pack("HBBI", _LOAD_WORD, 0, 0, 0)]  # the number of the call
    for left, number in zip(range(len(_RESOURCES), 0, -1), _RESOURCES.values(), strict=True):
        program.append(struct.pack("HBBI", _JUMP_IF_EQUAL, left, 0, number))
    program.append(struct.pack("HBBI", _RETURN, 0, 0, _ALLOW))
    program.append(struct.pack("HBBI", _RETURN, 0, 0, _ERRNO | errno.EPERM))
    code = ctypes.create_string_buffer(b"".join(program))
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_SET_SECCOMP, _MODE_FILTER, filters, 0, 0) == 0, os.strerror(ctypes.get_errno())


def run(arguments: list[str]) -> int:
    """Run the worker with the flags behind the socket."""
    if arguments[0] == "--filtered":
        forbid_resources()
        arguments = arguments[1:]
    os.environ["NOTIFY_SOCKET"] = arguments[0]
    return main(arguments[1:])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
