"""The few kernel calls that Python lacks. Linux only, like the rest of the worker."""

import ctypes
import os
import signal
from typing import Final

# <linux/prctl.h>
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NAME: Final = 15
PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38

DUMP_SIGNAL: Final = signal.SIGRTMIN + 5
"""Asks a process for the stacks of all its threads. A real-time signal, so that blocks keep SIGUSR1 and SIGUSR2."""

THREADS_SIGNAL: Final = signal.SIGRTMIN + 4
"""Asks a child with an idle event loop where its other threads are. Python answers it, so no thread runs meanwhile.

Its number is below those of the next two signals, so that Python handles it before them.
"""

AWAITS_SIGNAL: Final = signal.SIGRTMIN + 7
"""Asks a child with an idle event loop what its tasks await."""

END_OF_AWAITS: Final = "End of what the tasks await."
"""The end of that answer."""

AWAITS_AGAIN_SIGNAL: Final = signal.SIGRTMIN + 8
"""Asks the same for a person while the job goes on. The answer repeats earlier ones, and does not count as reported."""

END_OF_AWAITS_AGAIN: Final = "End of what the tasks await, as a person has asked."
"""The end of that answer. The text is different, so that nobody takes it for the end of the other answer."""

MAIN_STACK_SIGNAL: Final = signal.SIGRTMIN + 9
"""Asks a child for the stack of the thread that takes the signal: the main one, unless that blocks it (signal(7)).

faulthandler ends its list of all threads after a hundred. The newest come first, so then the main one is missing.
"""

KEEPER_LOST_SIGNAL: Final = signal.SIGRTMIN + 6
"""Tells the supervisor that its keeper was killed."""

_CLOSE_RANGE: Final = 436
"""On every architecture; Linux 5.9."""
_HIGHEST_DESCRIPTOR: Final = 2**32 - 1

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, argument: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Make the kernel signal this process when the *thread* that is its parent ends (prctl(2), PDEATHSIG).

    A change of uid clears it: set it after that. Check `getppid()` afterwards: a parent that died before this call
    sends nothing.
    """
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def become_subreaper() -> None:
    """Become the new parent of orphaned descendants, in place of pid 1."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def forbid_inspection() -> None:
    """Keep processes of the same user from reading this process's memory and environment (no core dump either)."""
    _prctl(_PR_SET_DUMPABLE, 0)


def allow_inspection() -> None:
    """Undo `forbid_inspection`, or what a change of the user did: /proc/self belongs to this process again."""
    _prctl(_PR_SET_DUMPABLE, 1)


def forbid_new_privileges() -> None:
    """Make set-uid programs and file capabilities ineffective for this process and all that it starts."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def close_from(first: int) -> bool:
    """Close every descriptor from `first` on, in one call. Returns whether the kernel can (Linux 5.9).

    Not `os.closerange`: on a kernel that can't, it tries each possible number.
    """
    arguments = (ctypes.c_uint(first), ctypes.c_uint(_HIGHEST_DESCRIPTOR), ctypes.c_uint(0))
    return bool(_libc.syscall(_CLOSE_RANGE, *arguments) == 0)


def set_process_name(name: str) -> None:
    """Set the name that `ps -o comm` and `top` show (15 bytes)."""
    buffer = ctypes.create_string_buffer(name.encode()[:15])
    _libc.prctl(_PR_SET_NAME, buffer, 0, 0, 0)
