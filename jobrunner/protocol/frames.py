"""Length-prefixed frames: a small JSON header and a payload that stays bytes.

Wire format: two unsigned 32-bit big-endian lengths (header, payload), the header, the payload.
Nothing is ever unpickled: a pickle from a child is code that the reader would run.
"""

import asyncio
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jobrunner.protocol.caps import HEADER_CAP_BYTES
from jobrunner.protocol.errors import ProtocolError

PREFIX: Final = struct.Struct("!II")
_COPIED_BYTES: Final = 64 * 1024
"""Smaller parts are joined, because each piece costs a system call."""


class FrameError(ProtocolError):
    """The other side sent something that is not a frame. The channel can't be read any further.

    `incomplete` is true if the channel ended inside of a frame, false if a length was over its cap.
    """

    def __init__(self, message: str, *, incomplete: bool) -> None:
        super().__init__(message)
        self.incomplete = incomplete


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as received: header JSON (not yet validated) and payload."""

    header: bytes
    payload: bytes


def pack(header: bytes, payload: bytes = b"") -> bytes:
    """Return the wire form of one frame."""
    return PREFIX.pack(len(header), len(payload)) + header + payload


def pack_parts(header: bytes, parts: Sequence[bytes]) -> list[bytes | memoryview]:
    """Return the wire form of one frame with these parts as its payload, in pieces to send one after the other.

    It is one piece, unless a part is large: a large part is not copied. To copy ten megabytes takes as long as to read
    them.
    """
    pieces: list[bytes | memoryview] = []
    small = PREFIX.pack(len(header), sum(map(len, parts))) + header
    for part in parts:
        if len(part) < _COPIED_BYTES:
            small += part
        else:
            # A socket may not accept all at once, and the rest is cut off and kept. With bytes, that would be a copy.
            pieces += (small, memoryview(part))
            small = b""
    return [*pieces, small] if small else pieces


def check_lengths(prefix: bytes, payload_cap_bytes: int) -> tuple[int, int]:
    """Read both lengths. Raise `FrameError` before a byte of a body that is too large is read."""
    header_length, payload_length = PREFIX.unpack(prefix)
    if header_length > HEADER_CAP_BYTES:
        raise FrameError(f"a header of {header_length} bytes is over {HEADER_CAP_BYTES}", incomplete=False)
    if payload_length > payload_cap_bytes:
        raise FrameError(f"a payload of {payload_length} bytes is over {payload_cap_bytes}", incomplete=False)
    return header_length, payload_length


async def read_frame(reader: asyncio.StreamReader, payload_cap_bytes: int) -> Frame | None:
    """Read the next frame; `None` at a clean end of the channel.

    Raises `FrameError` if the channel ends inside of a frame or a length is over its cap.
    A cancellation may lose a part of a frame: cancel only when you give the channel up.
    """
    try:
        header_length, payload_length = check_lengths(
            await reader.readexactly(PREFIX.size), payload_cap_bytes
        )
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise FrameError("the channel ended inside a frame's lengths", incomplete=True) from None
    try:
        header = await reader.readexactly(header_length)
        payload = await reader.readexactly(payload_length) if payload_length else b""
    except asyncio.IncompleteReadError:
        raise FrameError("the channel ended inside a frame", incomplete=True) from None
    return Frame(header, payload)


def _receive_exactly(channel: socket.socket, length: int) -> bytes:
    # Nearly always it comes at once, and is not copied.
    received = channel.recv(length, socket.MSG_WAITALL) if length else b""
    parts = [received]
    while (length := length - len(received)) > 0:
        received = channel.recv(length, socket.MSG_WAITALL)
        if not received:
            raise EOFError
        parts.append(received)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def receive_frame(channel: socket.socket, payload_cap_bytes: int) -> Frame:
    """Blocking counterpart of `read_frame`, for a child without a running loop.

    Raises `EOFError` if the other side is gone, `FrameError` for a length over its cap.
    """
    header_length, payload_length = check_lengths(_receive_exactly(channel, PREFIX.size), payload_cap_bytes)
    return Frame(_receive_exactly(channel, header_length), _receive_exactly(channel, payload_length))
