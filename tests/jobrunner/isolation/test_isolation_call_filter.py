"""The filter of system calls, run by hand over every call, and what it does in a real process."""

import errno
import itertools
import re
from pathlib import Path

import pytest
from bpf_machine import answer

from jobrunner.group_filter import filter_program
from jobrunner.isolation.call_filter import filter_of, isolation_filter
from jobrunner.isolation.call_numbers import CallNumbers, known_call_numbers
from jobrunner.protocol.group_calls import known_numbers

PID = 4711
OTHER = 815
X32 = 0x40000000
ALLOWED, REFUSED, UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
NOT_SUPPORTED = 0x00050000 | errno.EINVAL

KINDS = [(machine, kind) for machine in ("x86_64", "aarch64") for kind in known_call_numbers(machine)]
kinds = pytest.mark.parametrize(("machine", "kind"), KINDS, ids=[f"{m}-{k.architecture:x}" for m, k in KINDS])


def asked(machine: str, kind: CallNumbers, number: int, *arguments: int) -> int:
    return answer(isolation_filter(PID, known_call_numbers(machine)), kind.architecture, number, arguments)


@kinds
def test_calls_that_reach_beyond_the_job_are_refused_with_any_arguments(
    machine: str, kind: CallNumbers
) -> None:
    always = (
        kind.ptrace, kind.process_vm_readv, kind.process_vm_writev, kind.keyctl, kind.add_key, kind.request_key,
    )  # fmt: skip
    for number in always:
        assert {asked(machine, kind, number, one, one) for one in (0, PID, OTHER, 2**64 - 1)} == {REFUSED}
    assert asked(machine, kind, kind.clone3, 1 << 40) == UNKNOWN


@kinds
def test_what_could_hold_the_lock_of_a_pipe_without_an_end_is_not_there(
    machine: str, kind: CallNumbers
) -> None:
    for number in (kind.splice, kind.sendfile, kind.sendfile64):
        assert {asked(machine, kind, number, one, one) for one in (0, 1, 2**64 - 1)} == {NOT_SUPPORTED}
    for number in (kind.io_uring_setup, kind.userfaultfd):
        assert {asked(machine, kind, number, one, one) for one in (0, 1, 2**64 - 1)} == {UNKNOWN}


@kinds
def test_no_file_is_leased_and_all_else_that_fcntl_does_goes_on(machine: str, kind: CallNumbers) -> None:
    for number in (kind.fcntl, kind.fcntl64):
        # The kernel takes the lower half of the command.
        assert {asked(machine, kind, number, 3, one, 1) for one in (1024, 2**32 + 1024)} == {NOT_SUPPORTED}
        assert {asked(machine, kind, number, 3, one, 1) for one in (*range(40), *range(1025, 1050))} == {
            ALLOWED
        }


@kinds
def test_a_process_is_made_as_long_as_its_parent_is_who_makes_it(machine: str, kind: CallNumbers) -> None:
    for flags in (
        17,
        0x1200011,
        0x3D0F00,
        0x10000000,
    ):  # SIGCHLD, what glibc sets for forks and threads, a namespace
        assert asked(machine, kind, kind.clone, flags) == ALLOWED
        assert asked(machine, kind, kind.clone, flags | 0x8000) == REFUSED


@kinds
def test_a_process_changes_itself_and_the_job_s_own_process_and_no_other(
    machine: str, kind: CallNumbers
) -> None:
    for number in (kind.sched_setaffinity, kind.sched_setscheduler, kind.sched_setparam, kind.sched_setattr):
        # The kernel takes the lower half, with its sign.
        for pid in (0, PID, 2**32, 2**32 + PID):
            assert asked(machine, kind, number, pid, 1, 1) == ALLOWED
        for pid in (OTHER, 1, -1, 2**32 + OTHER):
            assert asked(machine, kind, number, pid, 1, 1) == REFUSED


@kinds
def test_limits_of_others_may_be_asked_for_and_not_changed(machine: str, kind: CallNumbers) -> None:
    for address, pid in itertools.product((0x1000, 1 << 40, 0xDEADBEEF), (0, PID)):
        assert asked(machine, kind, kind.prlimit64, pid, 7, address, 0) == ALLOWED
        assert asked(machine, kind, kind.prlimit64, OTHER, 7, address, 0) == REFUSED
    assert asked(machine, kind, kind.prlimit64, OTHER, 7, 0, 0x1000) == ALLOWED


@kinds
def test_priorities_are_changed_of_the_caller_its_group_and_the_job_s_own_process_only(
    machine: str, kind: CallNumbers
) -> None:
    # Process, group, user: <sys/resource.h> begins with 0, <linux/ioprio.h> with 1.
    for number, (process, group, user) in ((kind.setpriority, (0, 1, 2)), (kind.ioprio_set, (1, 2, 3))):
        allowed = [(process, 0), (process, PID), (group, 0)]
        for which, who in itertools.product((process, group, user, 77), (0, PID, OTHER, -1)):
            expected = ALLOWED if (which, who) in allowed else REFUSED
            assert asked(machine, kind, number, which, who, 1) == expected, (which, who)


@pytest.mark.parametrize("pid", [1, PID, 2**22])
def test_a_child_s_filter_is_the_one_made_before_with_its_own_number_in_it(pid: int) -> None:
    assert filter_of(pid) == isolation_filter(pid, known_call_numbers())


@kinds
def test_every_other_call_is_allowed(machine: str, kind: CallNumbers) -> None:
    looked_at = {getattr(kind, name) for name in CallNumbers.__slots__ if name != "architecture"}
    program = isolation_filter(PID, known_call_numbers(machine))
    for number in set(range(600)) - looked_at:
        assert answer(program, kind.architecture, number, (OTHER, OTHER, OTHER)) == ALLOWED
    assert answer(program, 0x16, 0, ()) == ALLOWED  # no kind of program of this machine


def test_programs_of_the_x32_kind_can_make_no_call() -> None:
    """Their numbers would otherwise be a second way to each call."""
    (kind, _) = known_call_numbers("x86_64")
    assert {asked("x86_64", kind, X32 + number, 0) for number in range(600)} == {UNKNOWN}


def test_the_filter_for_groups_names_the_same_kinds_of_programs() -> None:
    for machine in ("x86_64", "aarch64"):
        program = filter_program(known_numbers(machine))
        for kind in known_call_numbers(machine):
            setsid = next(
                one.setsid for one in known_numbers(machine) if one.architecture == kind.architecture
            )
            assert answer(program, kind.architecture, setsid) == 0x7FC00000
    assert known_call_numbers("pdp11") == ()


HEADERS = {
    0xC000003E: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    0x40000003: "/usr/include/x86_64-linux-gnu/asm/unistd_32.h",
    0xC00000B7: "/usr/include/asm-generic/unistd.h",
}


@kinds
def test_the_numbers_are_the_kernel_s(machine: str, kind: CallNumbers) -> None:
    header = Path(HEADERS.get(kind.architecture, "/nowhere"))
    if not header.exists():
        pytest.skip(f"no {header} here")
    numbers = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    numbers.setdefault("sendfile64", numbers["sendfile"])
    numbers.setdefault("fcntl64", numbers["fcntl"])
    for name in CallNumbers.__slots__:
        if name != "architecture":
            assert int(numbers[name]) == getattr(kind, name), name
