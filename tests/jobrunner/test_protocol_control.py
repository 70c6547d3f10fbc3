"""The control socket: what the template announces is a birth or a reason to trust it no more; requests carry files."""

import contextlib
import errno
import json
import os
import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import (
    ChildRequest,
    SessionRequest,
    Started,
    announce_start,
    receive_fork_request,
    receive_starts,
    send_fork_request,
    send_session_request,
)
from jobrunner.protocol.entry import Descriptors

HIGHEST_PID = 4_194_304
SESSION_REQUEST = struct.Struct("=Q")


def record(request: int, pid: int, error: int = 0) -> bytes:
    return struct.pack("=Qii", request, pid, error)


def child_request(number: int) -> bytes:
    return struct.pack("=Q?", number, True) + Confinement().pack()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The supervisor's end, which never waits, and the template's."""
    supervisor, template = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    supervisor.setblocking(False)
    template.settimeout(30)
    with supervisor, template:
        yield supervisor, template


def test_all_births_that_are_there_are_taken_in_their_order(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    assert receive_starts(supervisor) == ([], False)
    births = [Started(1, 700), Started(2, 0, errno.EAGAIN), Started(3, HIGHEST_PID)]  # 0: the fork failed
    for birth in births:
        announce_start(template, birth)
    assert receive_starts(supervisor) == (births, False)
    assert receive_starts(supervisor) == ([], False)


def test_a_template_that_is_gone_is_noticed_after_its_last_birth(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    announce_start(template, Started(1, 700))
    template.close()
    assert receive_starts(supervisor) == ([Started(1, 700)], True)


def test_a_template_that_died_with_a_request_unread_is_gone(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    supervisor.send(b"never read")
    template.close()
    assert receive_starts(supervisor) == ([], True)


@pytest.mark.parametrize(
    "data",
    [
        b"no record",
        b"16 bytes of text",
        b'{"request": 700}',
        *(record(1, pid) for pid in (-1, -(2**31), 1, HIGHEST_PID + 1, 2**31 - 1)),
        *(record(1, 700, error) for error in (-1, 10**6)),
        record(1, 0, -errno.EAGAIN),
        *(record(1, 700)[:length] for length in (1, 15)),
        record(1, 700) + b"\0",
        record(1, 700) * 2,
        record(1, 700) + b" " * 4096,
        pytest.param(json.dumps({"request": 1, "pid": 700}).encode(), id="of an earlier version"),
        pytest.param(record(1, os.getpid()), id="own pid"),
    ],
)
def test_what_no_template_sends_ends_the_trust_and_keeps_what_came_before(
    pair: tuple[socket.socket, socket.socket], data: bytes
) -> None:
    supervisor, template = pair
    announce_start(template, Started(1, 700))
    template.send(data)
    announce_start(template, Started(2, 701))
    assert receive_starts(supervisor) == ([Started(1, 700)], True)


def test_a_request_brings_four_descriptors_which_no_program_inherits(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    confinement = Confinement(max_processes=30)
    with contextlib.ExitStack() as opened:
        sent = [os.memfd_create(name) for name in ("channel", "stdout", "stderr", "dump")]
        for descriptor in sent:
            opened.callback(os.close, descriptor)
        send_fork_request(
            supervisor, ChildRequest(7, Descriptors(*sent), confinement.pack(), rehearses=False)
        )
        received = receive_fork_request(template)
        assert isinstance(received, ChildRequest)
        descriptors = received.descriptors
        passed = [descriptors.channel, descriptors.stdout, descriptors.stderr, descriptors.dump]
        for descriptor in passed:
            opened.callback(os.close, descriptor)
        assert (received.request, received.rehearses) == (7, False)
        assert Confinement.unpack(received.confinement) == confinement
        names = [os.readlink(f"/proc/self/fd/{descriptor}").split()[0] for descriptor in passed]
        assert names == ["/memfd:channel", "/memfd:stdout", "/memfd:stderr", "/memfd:dump"]
        assert not any(map(os.get_inheritable, passed))


def test_of_more_descriptors_than_a_child_needs_the_rest_is_not_taken(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    with open(os.devnull, "rb") as null:
        socket.send_fds(supervisor, [child_request(1)], [null.fileno()] * 5)
    before = len(os.listdir("/proc/self/fd"))
    received = receive_fork_request(template)
    assert isinstance(received, ChildRequest)
    assert len(os.listdir("/proc/self/fd")) == before + 4
    received.descriptors.close()


@pytest.mark.parametrize("asked", ["child", "session"])
def test_a_request_for_whose_descriptors_no_numbers_are_left_is_answered_and_the_template_goes_on(
    pair: tuple[socket.socket, socket.socket], asked: str
) -> None:
    supervisor, template = pair
    request, arrived = (child_request(1), 3) if asked == "child" else (SESSION_REQUEST.pack(1), 0)
    before = len(os.listdir("/proc/self/fd"))
    with open(os.devnull, "rb") as null:
        socket.send_fds(supervisor, [request], [null.fileno()] * arrived)
    template.settimeout(0.1)
    with pytest.raises(TimeoutError):
        receive_fork_request(template)
    assert receive_starts(supervisor) == ([Started(1, 0, errno.EMFILE)], False)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_request_for_a_session_brings_a_socket_which_no_program_inherits(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        send_session_request(supervisor, 2**40, theirs)
        received = receive_fork_request(template)
        assert isinstance(received, SessionRequest)
        with socket.socket(fileno=received.control_fd) as arrived:
            assert received.request == 2**40
            assert not os.get_inheritable(received.control_fd)
            arrived.send(b"x")
            assert ours.recv(9) == b"x"


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0"], ids=["short", "long"])
def test_a_request_of_another_length_is_none(
    pair: tuple[socket.socket, socket.socket], change: Callable[[bytes], bytes]
) -> None:
    supervisor, template = pair
    supervisor.send(change(child_request(1)))
    with pytest.raises(struct.error):
        receive_fork_request(template)


@pytest.mark.parametrize(
    "confinement",
    [
        Confinement(),
        Confinement(max_open_files=1),
        Confinement(max_file_mb=0),
        Confinement(max_processes=2**63 - 1),
        Confinement(user=2**32 - 2),
        Confinement(1, 2, 3, 4),
    ],
    ids=str,
)
def test_a_confinement_arrives_as_it_was_ordered(confinement: Confinement) -> None:
    assert Confinement.unpack(confinement.pack()) == confinement


def test_a_limit_beyond_what_the_kernel_counts_is_the_highest_that_it_can_count() -> None:
    assert Confinement.unpack(Confinement(max_processes=10**30).pack()) == Confinement(
        max_processes=2**63 - 1
    )


def test_a_supervisor_that_is_gone_asks_for_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    supervisor, template = pair
    supervisor.close()
    assert receive_fork_request(template) is None


def test_a_request_to_a_template_that_is_gone_raises(pair: tuple[socket.socket, socket.socket]) -> None:
    supervisor, template = pair
    template.close()
    with pytest.raises(OSError, match="Broken pipe"):
        send_fork_request(supervisor, ChildRequest(1, Descriptors(0, 0, 0, 0), Confinement().pack()))
