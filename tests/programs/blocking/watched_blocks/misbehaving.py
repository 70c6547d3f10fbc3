"""A block that holds up its event loop, in many ways. Each line with `# blocks` has to be reported, once.

Each blocks for several times the limit: the thread that watches may get no processor for a second.
"""

import asyncio
import contextlib
import ctypes
import itertools
import re
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable

from sdk import (
    AcquireParams,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    FunctionBlockRollbackResult,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.concurrency import run_parallel

libc = ctypes.PyDLL(None)  # its calls keep the GIL


class Params(FunctionBlockParams):
    """What to do."""

    act: str = "sleeps"


class Nothing(FunctionBlockResultData):
    """No result."""


async def sleeps() -> None:
    for _ in range(2):
        time.sleep(2.5)  # blocks
        await asyncio.sleep(0.05)


async def sleeps_in_two_places() -> None:
    time.sleep(2.5)  # blocks
    time.sleep(2.5)  # blocks


async def sleeps_late() -> None:
    await asyncio.sleep(1.5)
    time.sleep(2.5)  # blocks


async def sleeps_in_a_task_among_others() -> None:
    async def one() -> None:
        await asyncio.sleep(0.1)
        time.sleep(2.5)  # blocks

    await run_parallel(one(), asyncio.sleep(0.5), asyncio.sleep(1.5))


async def sleeps_in_a_callback() -> None:
    def callback() -> None:
        time.sleep(2.5)  # blocks

    asyncio.get_running_loop().call_soon(callback)
    await asyncio.sleep(0.1)


async def computes() -> None:
    end = time.thread_time() + 2.5
    any(time.thread_time() > end for _ in itertools.count())  # blocks


async def waits_for_a_program() -> None:
    subprocess.run(["sleep", "2.5"], check=True)  # blocks


async def waits_for_a_socket() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(2.5)
        with contextlib.suppress(TimeoutError):
            here.recv(1)  # blocks


async def reads_a_device_slowly() -> None:
    end = time.monotonic() + 2.5
    any(time.sleep(0.01) or time.monotonic() > end for _ in itertools.count())  # blocks


async def holds_the_gil_and_sleeps() -> None:
    libc.usleep(2_500_000)  # blocks


async def holds_the_gil_and_sleeps_long() -> None:
    end = time.monotonic() + 3
    any(libc.usleep(3_000_000) < 0 or time.monotonic() > end for _ in itertools.count())  # blocks


async def holds_the_gil_and_sums() -> None:
    sum(range(120_000_000))  # blocks


async def holds_the_gil_in_a_regex() -> None:
    re.match(r"(a+)+$", "a" * 26 + "b")  # blocks


ACTS: dict[str, Callable[[], Awaitable[None]]] = {
    act.__name__: act
    for act in (
        sleeps,
        sleeps_in_two_places,
        sleeps_late,
        sleeps_in_a_task_among_others,
        sleeps_in_a_callback,
        computes,
        waits_for_a_program,
        waits_for_a_socket,
        reads_a_device_slowly,
        holds_the_gil_and_sleeps,
        holds_the_gil_and_sleeps_long,
        holds_the_gil_and_sums,
        holds_the_gil_in_a_regex,
    )
}


@register_function_block(
    Registration(
        package="watched",
        name="misbehaves",
        description="Holds up its event loop",
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Nothing,
        reversible=True,
    )
)
class Misbehaves(FunctionBlock[Params, Nothing]):
    """Does one of the acts above; acquires and rolls back as badly."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Nothing]:
        await ACTS[params.act]()
        return FunctionBlockResult(success=True, message="Done")

    async def acquire(self, params: AcquireParams[Params]) -> FunctionBlockAcquireResult:
        time.sleep(2.5)  # blocks
        return FunctionBlockAcquireResult(success=True, message="Done")

    async def rollback(
        self,
        params: Params,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[Nothing] | None = None,
    ) -> FunctionBlockRollbackResult:
        time.sleep(2.5)  # blocks
        return FunctionBlockRollbackResult(success=True, message="Done")
