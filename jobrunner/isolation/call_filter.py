"""The system calls that a child refuses to itself and to all that it starts: they reach beyond the job (seccomp)."""

import errno
import functools
import os
import sys
from collections.abc import Sequence
from typing import Final

from jobrunner.isolation.bpf import (
    ALL_THREADS,
    ALLOW,
    ARCHITECTURE_OFFSET,
    JUMP_IF_ANY_BIT,
    JUMP_IF_AT_LEAST,
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
from jobrunner.isolation.call_numbers import CallNumbers, known_call_numbers
from jobrunner.isolation.errors import IsolationError
from jobrunner.protocol.group_calls import X32_BIT, X86_64

_CLONE_PARENT: Final = 0x8000  # <linux/sched.h>
_SET_LEASE: Final = 1024  # <linux/fcntl.h>

# <sys/resource.h>, <linux/ioprio.h>: whose priority it is.
_PRIORITY_OF_PROCESS: Final = 0
_PRIORITY_OF_GROUP: Final = 1
_IO_PRIORITY_OF_PROCESS: Final = 1
_IO_PRIORITY_OF_GROUP: Final = 2

_NOBODY: Final = 0x7EADBEEF
"""No process has this number (they end at 2**22), and nothing else in a filter is this number."""

_REFUSED: Final[Instruction] = (RETURN, 0, 0, fail_with(errno.EPERM))
_UNKNOWN: Final[Instruction] = (RETURN, 0, 0, fail_with(errno.ENOSYS))
_NOT_SUPPORTED: Final[Instruction] = (RETURN, 0, 0, fail_with(errno.EINVAL))
"""As for a file that can't be read or written in this way: programs then read and write normally."""

_ALLOWED: Final[Instruction] = (RETURN, 0, 0, ALLOW)


def isolation_filter(pid: int, kinds: Sequence[CallNumbers]) -> bytes:
    """Return the filter of the process `pid`. What it refuses fails with EPERM, and kills nobody:

    * a process that would get the caller's parent as its parent (CLONE_PARENT): it would be the supervisor's child.
      clone3 fails with ENOSYS, because its flags are in memory, which no filter can read: libraries then use clone;
    * tracing, and reading and writing another process's memory;
    * all calls for keys, which the kernel keeps for a user after the end of its processes;
    * limits, affinity and priorities of other processes: of any process except the caller (0) and `pid`, and of any
      process group except the caller's;
    * splice and sendfile, with EINVAL: if they write into a pipe, they hold its lock while they wait for their source.
      The thread of the worker that reads what a job prints would wait for that lock, and no signal would end that wait
      (`splice_file_to_pipe` in Linux's fs/splice.c, `pipe_read` in fs/pipe.c). io_uring can do the same, and
      userfaultfd makes a write wait: ENOSYS;
    * leases on files (fcntl), with EINVAL: whoever opens such a file waits for 45 s (fs.lease-break-time). Its
      owner may take one, so a job could hold up the import of blocks that belong to the worker's user.

    Numbers come first: then the kernel remembers that all other calls are allowed (Linux 5.11).
    """
    program: list[Instruction] = []
    for numbers in kinds:
        program += _if_equal(ARCHITECTURE_OFFSET, numbers.architecture, _of_architecture(numbers, pid))
    return assembled([*program, _ALLOWED])


@functools.cache
def filter_of_nobody() -> bytes:
    """Return the filter of a process that does not exist: a template makes it once, for all its children."""
    return isolation_filter(_NOBODY, known_call_numbers())


def filter_of(pid: int) -> bytes:
    """Return the filter of the process `pid`, on this machine."""
    return filter_of_nobody().replace(_NOBODY.to_bytes(4, sys.byteorder), pid.to_bytes(4, sys.byteorder))


def refuse_calls_that_reach_beyond() -> None:
    """Filter this process and all that it starts from now on. `no_new_privs` must be set before.

    Raises `IsolationError` if the kernel refuses it.
    """
    try:
        install(filter_of(os.getpid()), ALL_THREADS | LEAVE_SPECULATION_ALONE)
    except OSError as error:
        raise IsolationError("a filter of system calls (seccomp)", error) from error


def _of_architecture(numbers: CallNumbers, pid: int) -> list[Instruction]:
    """Return the instructions for a call of one kind of program. They end with an answer."""
    of_the_caller = [*_allow_if_equal(lower_half(0), 0, pid), _REFUSED]
    no_lease = [(LOAD, 0, 0, lower_half(1)), (JUMP_IF_EQUAL, 0, 1, _SET_LEASE), _NOT_SUPPORTED, _ALLOWED]
    answers: dict[int, list[Instruction]] = {
        numbers.clone: [
            (LOAD, 0, 0, lower_half(0)),
            (JUMP_IF_ANY_BIT, 0, 1, _CLONE_PARENT),
            _REFUSED,
            _ALLOWED,
        ],
        numbers.clone3: [_UNKNOWN],
        numbers.ptrace: [_REFUSED],
        numbers.process_vm_readv: [_REFUSED],
        numbers.process_vm_writev: [_REFUSED],
        numbers.keyctl: [_REFUSED],
        numbers.add_key: [_REFUSED],
        numbers.request_key: [_REFUSED],
        numbers.prlimit64: [*_allow_if_equal(lower_half(0), 0, pid), *_unless_a_new_limit(), _REFUSED],
        numbers.sched_setaffinity: of_the_caller,
        numbers.sched_setscheduler: of_the_caller,
        numbers.sched_setparam: of_the_caller,
        numbers.sched_setattr: of_the_caller,
        numbers.setpriority: _of_priority(_PRIORITY_OF_PROCESS, _PRIORITY_OF_GROUP, pid),
        numbers.ioprio_set: _of_priority(_IO_PRIORITY_OF_PROCESS, _IO_PRIORITY_OF_GROUP, pid),
        numbers.splice: [_NOT_SUPPORTED],
        numbers.sendfile: [_NOT_SUPPORTED],
        numbers.sendfile64: [_NOT_SUPPORTED],
        numbers.io_uring_setup: [_UNKNOWN],
        numbers.userfaultfd: [_UNKNOWN],
        numbers.fcntl: no_lease,
        numbers.fcntl64: no_lease,
    }
    asked: list[Instruction] = [(LOAD, 0, 0, NUMBER_OFFSET)]
    if numbers.architecture == X86_64:
        asked += [(JUMP_IF_AT_LEAST, 0, 1, X32_BIT), _UNKNOWN]
    for number, answer in answers.items():
        asked += [(JUMP_IF_EQUAL, 0, len(answer), number), *answer]
    return [*asked, _ALLOWED]


def _if_equal(offset: int, value: int, then: list[Instruction]) -> list[Instruction]:
    """Return instructions that do `then`, which ends with an answer, if a field has a value."""
    return [(LOAD, 0, 0, offset), (JUMP_IF_EQUAL, 0, len(then), value), *then]


def _allow_if_equal(offset: int, *values: int) -> list[Instruction]:
    checks: list[Instruction] = [(LOAD, 0, 0, offset)]
    for value in values:
        checks += [(JUMP_IF_EQUAL, 0, 1, value), _ALLOWED]
    return checks


def _unless_a_new_limit() -> list[Instruction]:
    """Return instructions that allow a prlimit64 that only asks: its third argument, the new limit, is no address."""
    return [
        (LOAD, 0, 0, lower_half(2)),
        (JUMP_IF_EQUAL, 0, 3, 0),
        (LOAD, 0, 0, upper_half(2)),
        (JUMP_IF_EQUAL, 0, 1, 0),
        _ALLOWED,
    ]


def _of_priority(of_process: int, of_group: int, pid: int) -> list[Instruction]:
    process = [*_allow_if_equal(lower_half(1), 0, pid), _REFUSED]
    group = [*_allow_if_equal(lower_half(1), 0), _REFUSED]
    return [
        *_if_equal(lower_half(0), of_process, process),
        *_if_equal(lower_half(0), of_group, group),
        _REFUSED,
    ]
