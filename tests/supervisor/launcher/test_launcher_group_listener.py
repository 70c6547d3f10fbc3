"""What the kernel asks about process groups, and what it is answered, byte by byte (seccomp_unotify(2))."""

import contextlib
import errno
import os
import platform
import struct
from collections.abc import Callable, Iterator

import pytest

from jobrunner.protocol.group_calls import GroupCall
from supervisor.launcher import group_listener
from supervisor.launcher.group_listener import Asked, GroupListener

SETPGID_ON_X86_64 = (0xC000003E, 109)
ASKED = Asked(7, 4711, GroupCall(12, 34))
# <linux/seccomp.h>, as the kernel's own macros give them on a machine of 64 bits.
RECEIVE, SEND, IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
Call = Callable[[int, int, bytearray], int]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """In place of the kernel's descriptor: readable while somebody asks, and at its end when nobody can any more."""
    read, write = os.pipe()
    yield read, write
    for descriptor in (read, write):
        with contextlib.suppress(OSError):  # a test has closed it
            os.close(descriptor)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Callable[[Call], None]:
    def become(call: Call) -> None:
        monkeypatch.setattr(
            group_listener.fcntl, "ioctl", lambda descriptor, number, data: call(descriptor, number, data)
        )

    return become


def failing(number: int) -> Call:
    def call(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of another machine")
def test_who_asks_and_for_what_is_read_as_the_kernel_writes_it(
    pipe: tuple[int, int], kernel: Callable[[Call], None]
) -> None:
    read, write = pipe
    os.write(write, b"x")

    def call(descriptor: int, number: int, data: bytearray) -> int:
        assert (descriptor, number, len(data)) == (read, RECEIVE, 80)
        architecture, called = SETPGID_ON_X86_64
        struct.pack_into("=QIIiIQ6Q", data, 0, 7, 4711, 0, called, architecture, 0, 12, 34, 5, 6, 7, 8)
        return 0

    kernel(call)
    listener = GroupListener(read)
    assert listener.fileno() == read
    assert listener.receive() == ASKED
    assert not listener.is_over()


@pytest.mark.parametrize(
    ("number", "over"),
    [(errno.ENOENT, False), (errno.EINTR, False), (errno.EBADF, True), (errno.EINVAL, True)],
)
def test_who_was_killed_before_the_question_was_read_ends_nothing_and_a_real_fault_does(
    pipe: tuple[int, int], kernel: Callable[[Call], None], number: int, over: bool
) -> None:
    """A listener that is not over is asked again when the kernel says so; one that fails would be asked for ever."""
    read, write = pipe
    os.write(write, b"x")
    kernel(failing(number))
    listener = GroupListener(read)
    assert listener.receive() is None
    assert listener.is_over() is over


def test_it_is_over_when_nobody_is_left_who_could_ask(pipe: tuple[int, int]) -> None:
    read, write = pipe
    listener = GroupListener(read)
    assert (listener.receive(), listener.is_over()) == (None, False)
    os.close(write)
    assert (listener.is_over(), listener.receive()) == (True, None)


def test_one_goes_on_and_others_get_eagain_or_esrch(
    pipe: tuple[int, int], kernel: Callable[[Call], None]
) -> None:
    read, _ = pipe
    answers: list[tuple[int, ...]] = []

    def call(descriptor: int, number: int, data: bytearray) -> int:
        assert (descriptor, number) == (read, SEND)
        answers.append(struct.unpack("=QqiI", data))
        return 0

    kernel(call)
    listener = GroupListener(read)
    listener.allow(ASKED)
    listener.refuse(ASKED)
    listener.deny(ASKED)
    # The number of the question, what the call returns, its error, and SECCOMP_USER_NOTIF_FLAG_CONTINUE.
    assert answers == [(7, 0, 0, 1), (7, 0, -errno.EAGAIN, 0), (7, 0, -errno.ESRCH, 0)]


def test_whether_one_still_waits_is_asked_by_the_number_of_its_question(
    pipe: tuple[int, int], kernel: Callable[[Call], None]
) -> None:
    asked: list[tuple[int, int, bytes]] = []
    kernel(lambda descriptor, number, data: asked.append((descriptor, number, bytes(data))) or 0)
    listener = GroupListener(pipe[0])
    assert listener.still_waits(ASKED)
    assert asked == [(pipe[0], IS_VALID, struct.pack("=Q", 7))]


def test_who_was_killed_meanwhile_waits_no_more_and_an_answer_to_it_is_no_error(
    pipe: tuple[int, int], kernel: Callable[[Call], None]
) -> None:
    kernel(failing(errno.ENOENT))
    listener = GroupListener(pipe[0])
    assert not listener.still_waits(ASKED)
    listener.allow(ASKED)
    listener.refuse(ASKED)


def test_closing_closes_the_descriptor(pipe: tuple[int, int]) -> None:
    GroupListener(pipe[0]).close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pipe[0])
