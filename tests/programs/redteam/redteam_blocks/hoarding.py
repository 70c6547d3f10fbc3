"""Blocks that hold memory and descriptors where nobody counts them, and leave them behind."""

import asyncio
import contextlib
import ctypes
import mmap
import os
import signal
import socket
from typing import Any, Literal

from pydantic import Field

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    WorkflowContext,
    register_function_block,
)

from .attacking import attacking

Kind = Literal["memfd", "private", "shared", "forked", "maps", "dump", "sockets"]

_PART_BYTES = 2**20
_DUMP = 4
_MAPS = 20_000
_MAPPED_BYTES = 4 * 2**20
_MOST_IN_A_MESSAGE = 253  # SCM_MAX_FD


class HoardingParams(FunctionBlockParams):
    """What is held, how much of it, and for how long."""

    kind: Kind
    mb: int = Field(default=600, description="How many megabytes")
    seconds: float = Field(default=8.0, description="How long it holds them")


class HoardingResult(FunctionBlockResultData):
    """How many bytes, or descriptors, it got."""

    got: int


@register_function_block(
    attacking("hoarding", "Holds memory or descriptors", HoardingParams, HoardingResult, is_pure=False)
)
class Hoarding(FunctionBlock[HoardingParams, HoardingResult]):
    """Holds memory or descriptors."""

    async def run(
        self, params: HoardingParams, context: WorkflowContext
    ) -> FunctionBlockResult[HoardingResult]:
        held, got = _take(params.kind, params.mb)
        print("hoarding now")
        await asyncio.sleep(params.seconds)
        del held
        return FunctionBlockResult(success=True, message="Held", data=HoardingResult(got=got))


class LeavingParams(FunctionBlockParams):
    """Where files are left, and how many."""

    directory: str
    name: str
    files: int = 1


class LeavingResult(FunctionBlockResultData):
    """As whom it ran, and to whom what was found there at the start belongs."""

    user: int
    found_owners: list[int]


@register_function_block(
    attacking("leaving", "Leaves files in a shared directory", LeavingParams, LeavingResult, is_pure=False)
)
class Leaving(FunctionBlock[LeavingParams, LeavingResult]):
    """Leaves files in a shared directory."""

    async def run(
        self, params: LeavingParams, context: WorkflowContext
    ) -> FunctionBlockResult[LeavingResult]:
        with os.scandir(params.directory) as entries:
            owners = {entry.stat().st_uid for entry in entries if entry.name.startswith(params.name)}
        for number in range(params.files):
            os.close(os.open(f"{params.directory}/{params.name}-{os.getuid()}-{number}", os.O_CREAT, 0o600))
        data = LeavingResult(user=os.getuid(), found_owners=sorted(owners))
        return FunctionBlockResult(success=True, message="Left", data=data)


def _take(kind: Kind, mb: int) -> tuple[Any, int]:
    part = b"x" * _PART_BYTES
    match kind:
        case "memfd":
            descriptor = os.memfd_create("hoard")
            return descriptor, sum(os.write(descriptor, part) for _ in range(mb))
        case "private":
            return (private := bytearray(part) * mb), len(private)
        case "maps":
            descriptor = os.memfd_create("hoard")
            return _map_again_and_again(descriptor), sum(os.write(descriptor, part) for _ in range(mb))
        case "shared":
            shared = mmap.mmap(-1, mb * _PART_BYTES)
            for place in range(0, len(shared), mmap.PAGESIZE):
                shared[place] = 1
            return (shared, _fork_and_touch(shared)), len(shared)
        case "forked":
            private = bytearray(part) * mb
            return (private, _fork_and_touch(None)), len(private)
        case "dump":
            return None, _write_until_refused(_DUMP, part, mb)
        case "sockets":
            return _send_until_refused()


def _map_again_and_again(descriptor: int) -> None:
    """Map the beginning of a file 20,000 times, with other rights each time, so that the kernel lists each mapping."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *(ctypes.c_int,) * 3, ctypes.c_long)
    os.truncate(descriptor, _MAPPED_BYTES)
    for number in range(_MAPS):
        rights = mmap.PROT_READ | (mmap.PROT_WRITE if number % 2 else 0)
        how = mmap.MAP_SHARED | (0 if number else mmap.MAP_POPULATE)
        libc.mmap(None, _MAPPED_BYTES, rights, how, descriptor, 0)


def _fork_and_touch(shared: mmap.mmap | None) -> int:
    ready, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        for place in range(0, len(shared or b""), mmap.PAGESIZE):
            assert shared is not None
            _ = shared[place]
        os.write(done, b"x")
        while True:
            signal.pause()
    os.read(ready, 1)
    return pid


def _write_until_refused(descriptor: int, part: bytes, mb: int) -> int:
    written = 0
    with contextlib.suppress(OSError):
        for _ in range(mb):
            written += os.write(descriptor, part)
    return written


def _send_until_refused() -> tuple[Any, int]:
    """Put descriptors on their way, in sockets that nobody reads, until the kernel takes no more."""
    pairs, sent = [], 0
    null = os.open(os.devnull, os.O_RDONLY)
    with contextlib.suppress(OSError):
        for _ in range(50):
            pairs.append(socket.socketpair())
            for _ in range(20):
                socket.send_fds(pairs[-1][0], [b"x"], [null] * _MOST_IN_A_MESSAGE)
                sent += _MOST_IN_A_MESSAGE
    return pairs, sent
