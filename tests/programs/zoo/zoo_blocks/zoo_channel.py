"""Blocks that write to the descriptor that is the worker's own, or take it away."""

import asyncio
import json
import os
import socket
import struct
from typing import Any

from tests.programs.zoo.hostile import Params, Zoo, hostile

_CHANNEL = 3


def _frame(header: dict[str, Any], payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("!II", len(text), len(payload)) + text + payload


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(_CHANNEL, data) :]


async def _for_ever() -> None:
    await asyncio.Event().wait()


@hostile
async def channel_garbage(block: Zoo, params: Params) -> None:
    """Writes bytes that are no frame."""
    _write(os.urandom(4096).replace(b"\0", b"\1"))
    await _for_ever()


@hostile
async def channel_half_frame(block: Zoo, params: Params) -> None:
    """Writes the beginning of a frame, and ends its process."""
    _write(_frame({"type": "outcome", "success": True, "message": "", "body_bytes": 2}, b"{}")[:-1])
    os._exit(0)


@hostile
async def channel_oversized(block: Zoo, params: Params) -> None:
    """Announces a frame of four gigabytes."""
    _write(struct.pack("!II", 20, 2**32 - 1) + b"x" * 1000)
    await _for_ever()


@hostile
async def channel_wrong_type(block: Zoo, params: Params) -> None:
    """Sends the worker an order, which is what a worker sends."""
    _write(_frame({"type": "cancel", "reason": "you stop"}))
    await _for_ever()


@hostile
async def channel_many_fields(block: Zoo, params: Params) -> None:
    """Sends a header with as many unknown fields as fit."""
    header = {"type": "log", "level": 20, "logger": "", "text": "", "created": 0}
    _write(_frame(header | {f"{number:x}": 0 for number in range(10_000)}))
    await _for_ever()


@hostile
async def channel_second_ready(block: Zoo, params: Params) -> None:
    """Says that it is ready, once more, and goes on."""
    _write(_frame({"type": "ready", "pid": 1}))


@hostile
async def channel_fake_success(block: Zoo, params: Params) -> None:
    """Sends a success of its own making, and hangs."""
    body = b'{"data": {"value": "made up"}}'
    _write(_frame({"type": "outcome", "success": True, "message": "Fake", "body_bytes": len(body)}, body))
    await _for_ever()


@hostile
async def channel_fake_not_json(block: Zoo, params: Params) -> None:
    """Sends a success whose body would break the request that carries it."""
    body = b'{"data": {}}, "success": true, "x": {}'
    _write(_frame({"type": "outcome", "success": True, "message": "Fake", "body_bytes": len(body)}, body))
    await _for_ever()


@hostile
async def channel_outcome_flood(block: Zoo, params: Params) -> None:
    """Sends thousands of outcomes that contradict each other."""
    one = _frame({"type": "outcome", "success": False, "message": "m" * 15_000, "body_bytes": 0})
    other = _frame({"type": "outcome", "success": True, "message": "m" * 15_000, "body_bytes": 0})
    for _ in range(500):
        _write(one + other)


@hostile
async def channel_log_flood(block: Zoo, params: Params) -> None:
    """Sends a hundred thousand small log frames."""
    frame = _frame({"type": "log", "level": 20, "logger": "", "text": "", "created": 0})
    for _ in range(1000):
        _write(frame * 100)


@hostile
async def channel_closed_and_hang(block: Zoo, params: Params) -> None:
    """Closes the channel, and hangs."""
    os.close(_CHANNEL)
    await asyncio.sleep(600)


@hostile
async def channel_shut_down(block: Zoo, params: Params) -> None:
    """Shuts both directions of the channel down, and hangs."""
    socket.socket(fileno=os.dup(_CHANNEL)).shutdown(socket.SHUT_RDWR)
    await _for_ever()


@hostile
async def channel_replaced(block: Zoo, params: Params) -> None:
    """Puts another file in the place of the channel, and returns."""
    os.dup2(os.open(os.devnull, os.O_RDWR), _CHANNEL)


@hostile
async def channel_without_waiting(block: Zoo, params: Params) -> str:
    """Makes the channel non-blocking, and returns more than fits into it."""
    os.set_blocking(_CHANNEL, False)
    return "x" * (6 << 20)


@hostile
async def channel_read_away(block: Zoo, params: Params) -> None:
    """Reads what the worker has to say to it, and hangs."""
    asyncio.get_running_loop().remove_reader(_CHANNEL)
    os.set_blocking(_CHANNEL, True)
    while os.read(_CHANNEL, 1):
        pass
