"""The control socket: what the template announces is a birth or a reason to trust it no more; requests carry files."""

import contextlib
import errno
import json
import os
import socket
from collections.abc import Iterator

import pytest

from jobrunner.protocol.confinement import Confinement
from jobrunner.protocol.control import (
    ChildRequest,
    Started,
    announce_start,
    receive_fork_request,
    receive_starts,
    send_fork_request,
)
from jobrunner.protocol.entry import Descriptors

HIGHEST_PID = 4_194_304


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
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"{}",
        b'{"request": 1}',
        b'{"pid": 700}',
        b"[" * 1000,
        *(
            json.dumps({"request": request, "pid": pid}).encode()
            for request, pid in [
                *((1, pid) for pid in (-1, 1, HIGHEST_PID + 1, True, "700", 700.0, None)),
                *((request, 700) for request in ("1", 1.0, False, None)),
            ]
        ),
        *(json.dumps({"request": 1, "pid": 0, "error": error}).encode() for error in (-1, 10**6, "11", True)),
        pytest.param(json.dumps({"request": 1, "pid": os.getpid()}).encode(), id="own pid"),
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
        send_fork_request(supervisor, ChildRequest(7, Descriptors(*sent), confinement, rehearses=False))
        received = receive_fork_request(template)
        assert isinstance(received, ChildRequest)
        descriptors = received.descriptors
        passed = [descriptors.channel, descriptors.stdout, descriptors.stderr, descriptors.dump]
        for descriptor in passed:
            opened.callback(os.close, descriptor)
        assert (received.request, received.confinement, received.rehearses) == (7, confinement, False)
        names = [os.readlink(f"/proc/self/fd/{descriptor}").split()[0] for descriptor in passed]
        assert names == ["/memfd:channel", "/memfd:stdout", "/memfd:stderr", "/memfd:dump"]
        assert not any(map(os.get_inheritable, passed))


@pytest.mark.parametrize("over", [0, 1])
def test_an_announcement_beyond_the_cap_ends_the_trust(
    pair: tuple[socket.socket, socket.socket], over: int
) -> None:
    supervisor, template = pair
    text = '{"request": 1, "pid": 700'
    template.send(f"{text}{' ' * (1024 + over - len(text) - 1)}}}".encode())
    assert receive_starts(supervisor) == (([], True) if over else ([Started(1, 700)], False))


def test_of_more_descriptors_than_a_child_needs_the_rest_is_not_taken(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    message = {"request": 1, "confinement": Confinement().to_json(), "rehearses": True}
    with open(os.devnull, "rb") as null:
        socket.send_fds(supervisor, [json.dumps(message).encode()], [null.fileno()] * 5)
    before = len(os.listdir("/proc/self/fd"))
    received = receive_fork_request(template)
    assert isinstance(received, ChildRequest)
    descriptors = received.descriptors
    assert len(os.listdir("/proc/self/fd")) == before + 4
    for descriptor in (descriptors.channel, descriptors.stdout, descriptors.stderr, descriptors.dump):
        os.close(descriptor)


def test_a_request_for_whose_descriptors_no_numbers_are_left_is_answered_and_the_template_goes_on(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    supervisor, template = pair
    message = json.dumps({"request": 1, "confinement": Confinement().to_json()}).encode()
    before = len(os.listdir("/proc/self/fd"))
    with open(os.devnull, "rb") as null:
        socket.send_fds(supervisor, [message], [null.fileno()] * 3)
    template.settimeout(0.1)
    with pytest.raises(TimeoutError):
        receive_fork_request(template)
    assert receive_starts(supervisor) == ([Started(1, 0, errno.EMFILE)], False)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_supervisor_that_is_gone_asks_for_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    supervisor, template = pair
    supervisor.close()
    assert receive_fork_request(template) is None


def test_a_request_to_a_template_that_is_gone_raises(pair: tuple[socket.socket, socket.socket]) -> None:
    supervisor, template = pair
    template.close()
    with pytest.raises(OSError, match="Broken pipe"):
        send_fork_request(supervisor, ChildRequest(1, Descriptors(0, 0, 0, 0), Confinement()))
