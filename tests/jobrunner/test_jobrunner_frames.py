"""Frames: whatever the other side sends is a frame or a `FrameError`, and nothing is read beyond its cap."""

import asyncio
import contextlib
import json
import socket
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from jobrunner.protocol.caps import HEADER_CAP_BYTES, LOG_CAP_CHARS, MESSAGE_CAP_CHARS, cut
from jobrunner.protocol.frames import PREFIX, Frame, FrameError, pack, pack_parts, read_frame, receive_frame
from jobrunner.protocol.messages import (
    Begin,
    Cancel,
    DeviceChange,
    Join,
    Log,
    Order,
    Outcome,
    Ready,
    Secret,
    SessionClosed,
    SessionGranted,
    SessionWanted,
    from_child,
    from_template,
    to_child,
)
from tests.patience import PATIENCE_SECONDS

CAP_BYTES = 1000
headers = some.binary(max_size=60)
payloads = some.binary(max_size=200)


LARGE = bytes(64 * 1024)


@given(headers, some.lists(some.sampled_from([b"", b"{", b'"context": ', LARGE, LARGE + b"x"]), max_size=6))
def test_a_frame_of_parts_is_that_of_the_whole_and_no_large_part_is_copied(
    header: bytes, parts: list[bytes]
) -> None:
    pieces = pack_parts(header, parts)
    assert b"".join(pieces) == pack(header, b"".join(parts))
    large = [part for part in parts if len(part) >= len(LARGE)]
    sent_as_it_is = [piece.obj for piece in pieces if isinstance(piece, memoryview)]
    assert len(sent_as_it_is) == len(large)
    assert all(piece is part for piece, part in zip(sent_as_it_is, large, strict=True))
    assert len(pieces) <= 2 * len(large) + 1


def read_all(data: bytes, chunk: int) -> tuple[list[Frame], FrameError | None]:
    """Read everything that `data` holds, arriving `chunk` bytes at a time."""

    async def read() -> tuple[list[Frame], FrameError | None]:
        reader = asyncio.StreamReader()

        async def arrive() -> None:
            for start in range(0, len(data), chunk):
                reader.feed_data(data[start : start + chunk])
                await asyncio.sleep(0)
            reader.feed_eof()

        arriving = asyncio.create_task(arrive())
        frames: list[Frame] = []
        try:
            while (frame := await read_frame(reader, CAP_BYTES)) is not None:
                frames.append(frame)
        except FrameError as error:
            return frames, error
        finally:
            await arriving
        return frames, None

    return asyncio.run(read())


@given(some.lists(some.builds(Frame, headers, payloads), max_size=5), some.integers(1, 50))
def test_what_was_packed_is_read_as_it_was(frames: list[Frame], chunk: int) -> None:
    data = b"".join(pack(frame.header, frame.payload) for frame in frames)
    assert read_all(data, chunk) == (frames, None)


@given(some.binary(max_size=300), some.integers(1, 300))
@example(b"", 1)
@example(b"\0" * 8, 3)
@example(b"\xff" * 8, 8)
def test_any_bytes_are_frames_or_a_frame_error(data: bytes, chunk: int) -> None:
    frames, error = read_all(data, chunk)
    whole = b"".join(pack(frame.header, frame.payload) for frame in frames)
    assert data.startswith(whole)
    assert error is not None or whole == data


@given(some.builds(Frame, headers, payloads), some.data())
def test_a_channel_that_ends_inside_a_frame_is_an_incomplete_one(frame: Frame, data: some.DataObject) -> None:
    whole = pack(frame.header, frame.payload)
    cut_at = data.draw(some.integers(1, len(whole) - 1))
    frames, error = read_all(whole[:cut_at], 10)
    assert frames == []
    assert error is not None
    assert error.incomplete


@pytest.mark.parametrize("lengths", [(HEADER_CAP_BYTES + 1, 0), (2, CAP_BYTES + 1), (2**32 - 1, 2**32 - 1)])
def test_a_length_over_its_cap_is_refused_before_a_byte_of_it_came(lengths: tuple[int, int]) -> None:
    _, error = read_all(PREFIX.pack(*lengths), 8)
    assert error is not None
    assert not error.incomplete


def test_a_length_at_its_cap_is_taken() -> None:
    frames, error = read_all(pack(b"h" * HEADER_CAP_BYTES, b"p" * CAP_BYTES), 2**16)
    assert error is None
    assert [(len(frame.header), len(frame.payload)) for frame in frames] == [(HEADER_CAP_BYTES, CAP_BYTES)]


@given(some.binary(max_size=100))
def test_any_bytes_over_a_socket_are_a_frame_or_an_error(data: bytes) -> None:
    sender, receiver = socket.socketpair()
    with sender, receiver:
        sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)
        try:
            frame = receive_frame(receiver, CAP_BYTES)
        except (FrameError, EOFError):
            return
        assert data.startswith(pack(frame.header, frame.payload))


def received(data: bytes) -> Frame:
    sender, receiver = socket.socketpair()
    with sender, receiver:
        sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)
        return receive_frame(receiver, CAP_BYTES)


@pytest.mark.parametrize(("header", "payload"), [(b"{}", b""), (b"", b"p"), (b"{}", b"p" * CAP_BYTES)])
def test_a_whole_frame_over_a_socket_is_read_as_it_was(header: bytes, payload: bytes) -> None:
    assert received(pack(header, payload)) == Frame(header, payload)
    for missing in range(1, len(pack(header, payload)), 97):
        with pytest.raises(EOFError):
            received(pack(header, payload)[:-missing])


@pytest.mark.parametrize("lengths", [(HEADER_CAP_BYTES + 1, 0), (2, CAP_BYTES + 1)])
def test_over_a_socket_too_a_length_over_its_cap_is_refused_before_a_byte_of_it_came(
    lengths: tuple[int, int],
) -> None:
    with pytest.raises(FrameError, match=f"of {max(lengths)} bytes is over") as caught:
        received(PREFIX.pack(*lengths))
    assert not caught.value.incomplete


def test_two_frames_on_one_socket_are_read_one_by_one() -> None:
    sender, receiver = socket.socketpair()
    with sender, receiver:
        sender.sendall(pack(b"one", b"1") + pack(b"two", b"22"))
        frames = [receive_frame(receiver, CAP_BYTES) for _ in range(2)]
    assert frames == [Frame(b"one", b"1"), Frame(b"two", b"22")]


def test_a_frame_larger_than_the_socket_s_buffer_arrives_whole() -> None:
    sender, receiver = socket.socketpair()
    payload = bytes(range(256)) * 20_000
    with sender, receiver:
        sending = threading.Thread(target=sender.sendall, args=(pack(b"{}", payload),))
        sending.start()
        assert receive_frame(receiver, len(payload)).payload == payload
        sending.join(PATIENCE_SECONDS)


MESSAGES = [
    (from_child, Ready(pid=4, cpu_seconds=0.25, peak_memory_kb=34_000)),
    (from_child, Log(level=20, logger="block", text="naïve ✓", created=1.5)),
    (from_child, Secret(value="Rotated-Pw-2026")),
    (from_child, SessionWanted(number=1, device="192.0.2.1 port 22")),
    (from_child, SessionClosed(number=1)),
    (from_child, DeviceChange(number=1, device="r1", stage="changing", lines=3, timer_seconds=60)),
    (from_child, Outcome(success=True, message="m", body_bytes=0)),
    (to_child, Join()),
    (to_child, Begin(deadline=12.5)),
    (to_child, SessionGranted(number=1)),
    (to_child, Cancel(reason="time")),
]


@pytest.mark.parametrize(("parse", "message"), MESSAGES)
def test_each_message_survives_the_way(parse, message) -> None:
    (frame,), error = read_all(message.pack(), 7)
    assert error is None
    assert parse(frame) == message


@pytest.mark.parametrize("parse", [from_child, from_template, to_child])
@given(
    header=some.binary(max_size=40)
    | some.recursive(
        some.none() | some.integers() | some.text(max_size=5),
        lambda inner: some.dictionaries(some.sampled_from(["type", "pid", "level"]), inner, max_size=3),
        max_leaves=4,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_header_is_a_message_or_a_frame_error(parse, header: bytes) -> None:
    with contextlib.suppress(FrameError):
        parse(Frame(header, b""))


def test_a_header_that_is_refused_is_not_echoed() -> None:
    header = json.dumps({"type": "log", "level": "s3cret-level", "s3cret": "s3cret"}).encode()
    with pytest.raises(FrameError) as caught:
        from_child(Frame(header, b""))
    assert "s3cret" not in str(caught.value)


def test_a_child_can_not_send_what_only_the_supervisor_sends() -> None:
    with pytest.raises(FrameError):
        from_child(Frame(b'{"type": "cancel", "reason": "x"}', b""))


def test_an_order_holds_no_parameter_in_its_header() -> None:
    assert {"parameters", "context"}.isdisjoint(Order.model_fields | Begin.model_fields)


@pytest.mark.parametrize("cap", [LOG_CAP_CHARS, MESSAGE_CAP_CHARS, 100])
def test_what_is_cut_says_how_much_is_missing_and_fits(cap: int) -> None:
    text = cut("x" * (cap + 5), cap)
    assert len(text) <= cap
    assert text.endswith("[5 more characters cut]")
    assert cut("x" * cap, cap) == "x" * cap


def test_where_there_is_no_room_for_text_the_mark_alone_is_left() -> None:
    assert cut("x" * 100, 5) == " … [95 more characters cut]"
