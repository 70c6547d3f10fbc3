"""The filter that asks about setsid and setpgid, run by hand, and what a call of these makes of the groups."""

import ctypes
import os
import struct

import pytest

from jobrunner import group_filter
from jobrunner.group_filter import filter_program
from jobrunner.isolation import bpf
from jobrunner.protocol.group_calls import GroupCall, known_numbers, leader_after, read_call

ASK, ALLOW = 0x7FC00000, 0x7FFF0000
REFUSE = 0x00050001  # EPERM
X86_64, I386, AARCH64, ARM = 0xC000003E, 0x40000003, 0xC00000B7, 0x40000028
X32 = 0x40000000


def answer(machine: str, architecture: int, number: int, first: int = 0, second: int = 0) -> int:
    """Run the filter as the kernel does: loads, equal jumps and returns. With the call's first two arguments."""
    program = [struct.unpack("=HBBI", part) for part in chunks(filter_program(known_numbers(machine)))]
    # struct seccomp_data: the number, the architecture, an address of 8 bytes, and the arguments.
    data = dict(
        enumerate(struct.unpack("=8I", struct.pack("=IIQQQ", number, architecture, 0, first, second)))
    )
    loaded = at = 0
    while True:
        code, true, false, value = program[at]
        at += 1
        if code == 0x20:
            assert value % 4 == 0
            loaded = data[value // 4]
        elif code == 0x15:
            at += true if loaded == value else false
        else:
            assert code == 0x06
            return value


def chunks(program: bytes) -> list[bytes]:
    return [program[start : start + 8] for start in range(0, len(program), 8)]


@pytest.mark.parametrize(
    ("machine", "architecture", "number"),
    [
        ("x86_64", X86_64, 112),
        ("x86_64", X86_64, 109),
        ("x86_64", X86_64, 112 | X32),
        ("x86_64", X86_64, 109 | X32),
        ("x86_64", I386, 66),
        ("x86_64", I386, 57),
        ("aarch64", AARCH64, 157),
        ("aarch64", AARCH64, 154),
        ("aarch64", ARM, 66),
        ("aarch64", ARM, 57),
    ],
)
def test_leaving_the_group_is_asked_for_by_every_kind_of_program(
    machine: str, architecture: int, number: int
) -> None:
    assert answer(machine, architecture, number) == ASK
    assert read_call(architecture, number, (0, 0)) == GroupCall(0, 0)


def test_nothing_else_is_asked_for() -> None:
    others = set(range(500)) - {109, 112}  # prctl with them, of which the first argument is another
    assert {answer("x86_64", X86_64, number) for number in others} == {ALLOW}
    assert {read_call(X86_64, number, (0, 0)) for number in others} == {None}
    assert answer("x86_64", I386, 112) == ALLOW
    assert answer("x86_64", AARCH64, 157) == ALLOW
    assert answer("aarch64", AARCH64, 112) == ALLOW


@pytest.mark.parametrize(
    ("machine", "architecture", "number"),
    [
        ("x86_64", X86_64, 157),
        ("x86_64", X86_64, 157 | X32),
        ("x86_64", I386, 172),
        ("aarch64", AARCH64, 167),
        ("aarch64", ARM, 172),
    ],
)
def test_no_kind_of_program_stops_being_a_subreaper(machine: str, architecture: int, number: int) -> None:
    """PR_SET_CHILD_SUBREAPER with 0. The kernel takes half of the first argument, and all of the second."""

    def prctl(first: int, second: int) -> int:
        return answer(machine, architecture, number, first, second)

    assert {prctl(36, 0), prctl(36 | 1 << 32, 0)} == {REFUSE}
    assert {prctl(36, 1), prctl(36, 1 << 32), prctl(37, 0), prctl(35, 0), prctl(0, 36)} == {ALLOW}
    assert answer(machine, architecture, number + 1, 36, 0) == ALLOW


def test_a_machine_whose_numbers_are_not_known_has_no_filter() -> None:
    assert known_numbers("pdp11") == ()


class Kernel:
    """Takes a filter with the flags that it knows, as seccomp(2) does, and keeps what it was given."""

    def __init__(self, known_flags: int = 0x3F) -> None:
        self.known_flags = known_flags
        self.taken: list[tuple[int, bytes]] = []
        self.listener = -1

    def syscall(self, number: int, operation: int, flags: int, given: bytes) -> int:
        assert (number, operation) == (317, 1)  # seccomp on x86-64; SECCOMP_SET_MODE_FILTER
        if flags & ~self.known_flags:
            return -1
        # struct sock_fprog: the number of instructions, of eight bytes each, and where they are.
        count, place = struct.unpack("HP", given)
        self.taken.append((flags, ctypes.string_at(place, 8 * count)))
        self.listener = os.open(os.devnull, os.O_RDONLY)
        os.set_inheritable(self.listener, True)
        return self.listener


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(bpf, "_libc", kernel)
    monkeypatch.setattr(bpf.platform, "machine", lambda: "x86_64")
    return kernel


# <linux/seccomp.h>: all threads, speculation left alone, a listener, and no thread that differs.
FLAGS = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4


@pytest.mark.parametrize(("known_flags", "only_a_kill_interrupts"), [(0x1F, False), (0x3F, True)])
def test_where_the_kernel_can_only_a_kill_interrupts_who_waits_for_an_answer(
    kernel: Kernel, known_flags: int, only_a_kill_interrupts: bool
) -> None:
    """Linux 5.19, <linux/seccomp.h>. Otherwise a signal has the call made again, and the supervisor asked again."""
    kernel.known_flags = known_flags
    listener = group_filter.ask_before_leaving_the_group()
    assert listener is not None
    os.close(listener)
    ((flags, program),) = kernel.taken
    assert flags == FLAGS | (1 << 5 if only_a_kill_interrupts else 0)
    assert program == filter_program(known_numbers("x86_64"))


def test_a_child_makes_neither_the_filter_nor_a_library_of_its_own(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its template has both: each would cost a child some 30 us and the copies of some pages."""
    group_filter.prepare_group_filter()
    monkeypatch.setattr(group_filter, "assembled", None)
    for name in ("CDLL", "create_string_buffer"):
        monkeypatch.setattr(bpf.ctypes, name, None)
    listener = group_filter.ask_before_leaving_the_group()
    assert listener is not None
    os.close(listener)


def test_what_a_block_starts_does_not_get_the_descriptor_that_answers(kernel: Kernel) -> None:
    """It could let itself go."""
    listener = group_filter.ask_before_leaving_the_group()
    assert listener == kernel.listener
    assert not os.get_inheritable(listener)
    os.close(listener)


def test_the_lowest_descriptor_is_one_as_any_other(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "syscall", lambda *_: 0)
    monkeypatch.setattr(group_filter.os, "set_inheritable", lambda *_: None)
    assert group_filter.ask_before_leaving_the_group() == 0


def test_a_kernel_that_knows_no_listener_leaves_the_process_as_it_is(kernel: Kernel) -> None:
    kernel.known_flags = 0x07
    assert group_filter.ask_before_leaving_the_group() is None
    assert kernel.taken == []


def test_on_a_machine_whose_numbers_are_not_known_the_kernel_is_not_asked(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_filter, "known_numbers", lambda: ())
    assert group_filter.ask_before_leaving_the_group() is None
    assert kernel.taken == []


@pytest.mark.parametrize(
    ("call", "leader"),
    [
        (GroupCall(0, 0), 7),  # setsid; setpgid(0, 0)
        (GroupCall(7, 0), 7),
        (GroupCall(7, 7), 7),
        (GroupCall(0, 7), 7),
        (GroupCall(9, 0), 9),  # a child
        (GroupCall(9, 9), 9),
        (GroupCall(9, 7), None),  # joins
        (GroupCall(0, 9), None),
        (GroupCall(-1, 0), None),
        (GroupCall(-1, -1), None),
    ],
)
def test_who_leads_the_new_group_of_process_7(call: GroupCall, leader: int | None) -> None:
    assert leader_after(call, 7) == leader


def test_arguments_are_read_as_the_kernel_reads_them() -> None:
    assert read_call(X86_64, 109, (0xFFFFFFFFFFFFFFFF, 0xABCD00000009)) == GroupCall(-1, 9)
    assert read_call(X86_64, 112, (123, 456)) == GroupCall(0, 0) == read_call(X86_64, 109, (0, 0))
