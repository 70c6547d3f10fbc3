"""The supervisor's end of a channel: real sockets, whose other end reads, does not, or is gone."""

import asyncio
import errno
import gc
import os
import socket
import struct
import time
import weakref
from collections.abc import AsyncIterator

import pytest
from launcher_support import open_descriptors

from jobrunner.protocol.frames import FrameError
from supervisor.errors import LaunchError
from supervisor.launcher.channel_stream import MOST_UNREAD_BYTES, ChannelStream, Passed
from supervisor.process.closing import close_beside_the_loop
from tests.lingering import NOT_HELD_UP_SECONDS, lingering_connection, send_urgently

FRAME = b"f" * 50
LARGE = b"0123456789abcdef" * 2**16


class Ends:
    """A stream, and the child's end of it."""

    def __init__(self) -> None:
        ours, self.far = socket.socketpair()
        ours.setblocking(False)
        self.stream = ChannelStream(ours, 64_000)

    async def received(self, count: int) -> bytes:
        """Read as a child does that waits for so many bytes."""
        loop = asyncio.get_running_loop()
        self.far.setblocking(False)
        data = b""
        while len(data) < count:
            data += await loop.sock_recv(self.far, count - len(data))
        return data


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    ends = Ends()
    yield ends
    if hasattr(ends, "stream"):
        ends.stream.close()
    ends.far.close()


async def test_what_is_sent_arrives_whole_and_in_order_however_slowly_it_is_read(ends: Ends) -> None:
    pieces = [FRAME, memoryview(LARGE), *[FRAME] * 200, memoryview(LARGE), FRAME]
    for piece in pieces:
        ends.stream.send(piece)
    assert await ends.received(sum(map(len, pieces))) == b"".join(pieces)
    ends.stream.send(b"more")
    assert await ends.received(4) == b"more"


async def test_what_is_small_is_with_the_kernel_at_once(ends: Ends) -> None:
    ends.stream.send(FRAME)
    ends.stream.answer(FRAME)
    assert ends.far.recv(1000) == FRAME * 2


@pytest.mark.parametrize("large", [True, False], ids=["a rest waits", "nothing waits"])
async def test_a_write_that_is_refused_ends_the_writing_alone(
    ends: Ends, large: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if large:
        ends.stream.send(LARGE)
    ends.far.shutdown(socket.SHUT_RD)
    for _ in range(20):  # asyncio logs what comes after the fifth
        ends.stream.send(FRAME)
        await asyncio.sleep(0)
    ends.far.send(b"it speaks")
    assert await ends.stream.reader.readexactly(9) == b"it speaks"
    ends.far.close()
    assert await ends.stream.reader.read() == b""
    assert large or ends.stream.broken is None  # the kernel tells of what was left unread
    assert caplog.records == []


async def test_an_error_of_the_socket_comes_after_all_that_had_arrived(ends: Ends) -> None:
    ends.far.send(FRAME)
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # that is read
    ends.stream.send(b"unread")
    ends.far.send(FRAME)
    ends.far.close()
    assert await ends.stream.reader.read() == FRAME * 2
    assert isinstance(ends.stream.broken, ConnectionResetError)


async def test_a_child_that_ends_is_read_to_its_end_also_where_the_reader_had_enough(ends: Ends) -> None:
    ends.far.setblocking(False)
    sent = 0
    while sent < 400_000:
        await asyncio.sleep(0)
        try:
            sent += ends.far.send(FRAME * 100)
        except BlockingIOError:  # nobody reads
            break
    assert ends.stream.unread_bytes() > 0
    ends.far.close()
    assert len(await ends.stream.reader.read()) == sent
    assert ends.stream.unread_bytes() == 0


async def test_answers_that_nobody_reads_are_bounded_and_their_bound_is_an_error_of_the_child(
    ends: Ends,
) -> None:
    for _ in range(MOST_UNREAD_BYTES):
        ends.stream.answer(FRAME)
    assert not ends.stream._unsent
    with pytest.raises(FrameError, match="without reading the answers") as caught:
        await ends.stream.reader.readexactly(1)
    assert not caught.value.incomplete
    ends.stream.send(FRAME)  # no error, and nothing that grows
    assert not ends.stream._unsent


async def test_of_the_answers_that_wait_those_that_were_read_and_the_order_are_not_counted(
    ends: Ends,
) -> None:
    ends.stream.send(LARGE)
    most = MOST_UNREAD_BYTES // len(FRAME)
    for number in range(3):
        for _ in range(most):
            ends.stream.answer(FRAME)
        await ends.received((len(LARGE) if number == 0 else 0) + most * len(FRAME))
    ends.far.send(b"it speaks")
    assert await ends.stream.reader.readexactly(9) == b"it speaks"


async def test_a_closed_stream_sends_nothing_has_ended_and_is_free_without_a_collection(ends: Ends) -> None:
    reader = ends.stream.reader
    waiting = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)
    ends.stream.send(LARGE)
    ends.stream.close()
    ends.stream.close()
    ends.stream.send(FRAME)
    ends.stream.answer(FRAME)
    ends.stream.resume_reading()
    ends.stream.pause_reading()
    assert await waiting == b""
    assert ends.stream.unread_bytes() == 0
    known = weakref.ref(ends.stream)
    gc.disable()
    try:
        del reader, waiting, ends.stream
        assert known() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("error", [None, LaunchError("a listener"), OSError(1, "a listener")], ids=str)
async def test_what_comes_beside_the_first_bytes_is_given_out_once_and_what_it_raises_the_reader_raises(
    error: Exception | None,
) -> None:
    ours, far = socket.socketpair()
    ours.setblocking(False)
    given: list[str] = []

    def take(passed: Passed, _flags: int) -> None:
        for _, _, data in passed:
            (descriptor,) = struct.unpack("i", data)
            given.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            assert not os.get_inheritable(descriptor)
            os.close(descriptor)
        if error is not None:
            raise error

    stream = ChannelStream(ours, 64_000, take)
    with far, open(os.devnull, "rb") as null:
        socket.send_fds(far, [FRAME], [null.fileno()])
        far.send(FRAME)
        far.shutdown(socket.SHUT_WR)
        reading = asyncio.ensure_future(stream.reader.read())
        if error is None:
            assert await reading == FRAME * 2
        else:
            with pytest.raises(type(error), match="a listener"):
                await reading
        assert given == [os.devnull]
    stream.close()


async def test_a_stream_that_has_read_nothing_is_free_too_once_it_is_closed() -> None:
    class Owner:
        def __init__(self, channel: socket.socket) -> None:
            self.stream = ChannelStream(channel, 64_000, self.take)

        def take(self, _passed: Passed, _flags: int) -> None: ...

    ours, far = socket.socketpair()
    owner = Owner(ours)
    owner.stream.close()
    far.close()
    known = weakref.ref(owner)
    gc.disable()
    try:
        del owner
        assert known() is None
    finally:
        gc.enable()


async def all_is_closed_that_was_to_be() -> None:
    """One after the other: what is given last tells of the others."""
    read, write = os.pipe()
    close_beside_the_loop(write)
    assert await asyncio.to_thread(os.read, read, 1) == b""
    os.close(read)


async def test_a_connection_that_lingers_holds_up_nobody_who_reads_what_it_came_with(ends: Ends) -> None:
    """A job that sends one would stop the heartbeat for as long as it likes."""
    before = open_descriptors()
    with lingering_connection() as connection:
        ends.far.send(FRAME)
        socket.send_fds(ends.far, [FRAME], [connection.fileno()])
        connection.close()  # the last descriptor is on its way
        began = time.monotonic()
        with pytest.raises(FrameError, match="descriptors came with what it sent") as caught:
            await ends.stream.reader.readexactly(2 * len(FRAME))
        await all_is_closed_that_was_to_be()
        assert time.monotonic() - began < NOT_HELD_UP_SECONDS
    assert not caught.value.incomplete
    assert open_descriptors() == before


async def test_a_connection_that_lingers_holds_up_nobody_either_if_it_comes_with_an_urgent_byte(
    ends: Ends,
) -> None:
    """The kernel drops such a byte when a reader comes to it, and closes what came with it in that very call."""
    before = open_descriptors()
    with lingering_connection() as connection:
        send_urgently(ends.far, connection.fileno())
        connection.close()
        async with asyncio.timeout(NOT_HELD_UP_SECONDS):
            with pytest.raises(FrameError, match="descriptors came with what it sent"):
                await ends.stream.reader.readexactly(1)
            await all_is_closed_that_was_to_be()
    assert open_descriptors() == before


async def test_nothing_is_read_behind_descriptors_and_all_that_came_are_closed(ends: Ends) -> None:
    before = open_descriptors()
    with open(os.devnull, "rb") as null:
        for _ in range(3):
            socket.send_fds(ends.far, [FRAME], [null.fileno()] * 253)
    with pytest.raises(FrameError):
        await ends.stream.reader.readexactly(1)
    await all_is_closed_that_was_to_be()
    assert open_descriptors() == before
    assert ends.stream.unread_bytes() == 2 * len(FRAME)
    ends.stream.close()
    await all_is_closed_that_was_to_be()
    assert len(open_descriptors()) == len(before) - 1


@pytest.mark.parametrize("nested", [False, True], ids=["itself", "in a socket"])
async def test_who_closes_a_stream_with_a_connection_unread_in_it_is_not_held_up(
    ends: Ends, nested: bool
) -> None:
    ends.stream.pause_reading()
    with lingering_connection() as connection:
        sent = connection
        if nested:
            sent, other = socket.socketpair()
            socket.send_fds(other, [b"x"], [connection.fileno()])
            connection.close()
            other.close()
        socket.send_fds(ends.far, [FRAME], [sent.fileno()])
        sent.close()
        began = time.monotonic()
        ends.stream.close()
        await all_is_closed_that_was_to_be()
        assert time.monotonic() - began < NOT_HELD_UP_SECONDS


@pytest.mark.parametrize(
    "how", ["after an error", "an urgent byte", "an urgent byte in a socket", "a socket that listens"]
)
async def test_who_closes_a_stream_that_was_not_read_to_its_end_is_not_held_up(
    ends: Ends, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    ends.stream.pause_reading()
    with lingering_connection() as connection:
        sent = connection
        if how == "an urgent byte in a socket":
            sent, other = socket.socketpair()
            send_urgently(other, connection.fileno())
            connection.close()
            other.close()
        if how == "a socket that listens":
            sent = socket.socket(socket.AF_UNIX)
            sent.bind(f"\0neops-lingering-{os.getpid()}")
            sent.listen()
            with socket.socket(socket.AF_UNIX) as other:
                other.connect(sent.getsockname())
                socket.send_fds(other, [b"x"], [connection.fileno()])
            connection.close()
        if how == "an urgent byte":
            send_urgently(ends.far, sent.fileno())
        else:
            socket.send_fds(ends.far, [FRAME], [sent.fileno()])
        sent.close()
        if how == "after an error":
            # A job of the same user can use up what epoll may watch.
            with monkeypatch.context() as changed:
                changed.setattr(asyncio.get_running_loop(), "add_reader", refuse)
                ends.stream.resume_reading()
        began = time.monotonic()
        ends.stream.close()
        await all_is_closed_that_was_to_be()
        assert time.monotonic() - began < NOT_HELD_UP_SECONDS
