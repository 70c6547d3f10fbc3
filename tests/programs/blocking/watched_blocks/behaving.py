"""A block that does, in many ways, what holds up no event loop. None of them may ever be reported."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from sdk import (
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.concurrency import run_in_thread, run_parallel, schedule_task

SLICE_SECONDS = 0.15
"""Of processor time, well below the threshold; on a busy machine it takes many times that."""


class Params(FunctionBlockParams):
    """What to do, and a seed for how long."""

    act: str
    seed: int = 0


class Nothing(FunctionBlockResultData):
    """No result."""


def compute(seconds: float) -> int:
    """Use the processor for so long, in Python."""
    end, count = time.thread_time() + seconds, 0
    while time.thread_time() < end:
        count += sum(range(100))
    return count


@run_in_thread
def device_session(seconds: float) -> str:
    """Do as netmiko does: many short reads and sleeps."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
        b"show version".hex()
    return "done"


@run_in_thread
def compute_in_thread(seconds: float) -> int:
    return compute(seconds)


@run_in_thread
def hold_gil_in_thread() -> int:
    return sum(range(15_000_000))


async def sleeps(rng: Random) -> None:
    for _ in range(rng.randint(1, 4)):
        await asyncio.sleep(rng.uniform(0.05, 0.6))


async def starts_a_program(rng: Random) -> None:
    process = await asyncio.create_subprocess_exec("sleep", f"{rng.uniform(0.3, 1.2):.2f}")
    await process.wait()


async def fifty_devices(rng: Random) -> None:
    await run_parallel(
        *(device_session(rng.uniform(0.3, 0.9)) for _ in range(50)), limit=rng.choice((None, 20, 50))
    )


async def slices(rng: Random) -> None:
    for _ in range(8):
        compute(SLICE_SECONDS)
        await asyncio.sleep(0)


async def slices_side_by_side(rng: Random) -> None:
    # Each turn of the loop takes longer than the threshold, and no one in it does.
    await run_parallel(*(slices(rng) for _ in range(4)))


async def computes_beside_a_computing_thread(rng: Random) -> None:
    await run_parallel(compute_in_thread(0.8), compute_in_thread(0.8), slices(rng))


async def waits_beside_a_thread_that_holds_the_gil(rng: Random) -> None:
    await run_parallel(hold_gil_in_thread(), hold_gil_in_thread(), sleeps(rng))


async def is_stopped_for_a_while(rng: Random) -> None:
    stopper = f"sleep 0.1; kill -STOP {os.getpid()}; sleep 1.2; kill -CONT {os.getpid()}"
    process = await asyncio.create_subprocess_exec("sh", "-c", stopper)
    while process.returncode is None:
        compute(SLICE_SECONDS / 3)
        await asyncio.sleep(0.001)


async def many_small_steps(rng: Random) -> None:
    for number in range(3000):
        json.dumps(list(range(number % 50)))
        hashlib.sha256(b"x" * 1000).digest()
        await asyncio.sleep(0)


async def schedules_tasks(rng: Random) -> None:
    @schedule_task
    async def later() -> None:
        await sleeps(rng)

    for _ in range(3):
        later()


async def forks(rng: Random) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    subprocess.run([sys.executable, "-S", "-c", "pass"], check=True)  # some milliseconds
    await asyncio.sleep(0.2)


async def waits_for_a_signal(rng: Random) -> None:
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGALRM, came.set)
    signal.setitimer(signal.ITIMER_REAL, 0.7)
    await came.wait()


ACTS: dict[str, Callable[[Random], Awaitable[Any]]] = {
    act.__name__: act
    for act in (
        sleeps,
        starts_a_program,
        fifty_devices,
        slices,
        slices_side_by_side,
        computes_beside_a_computing_thread,
        waits_beside_a_thread_that_holds_the_gil,
        is_stopped_for_a_while,
        many_small_steps,
        schedules_tasks,
        forks,
        waits_for_a_signal,
    )
}


@register_function_block(
    Registration(
        package="watched",
        name="behaves",
        description="Holds up no event loop",
        run_on="global",
        fb_type="execute",
        param_cls=Params,
        result_cls=Nothing,
    )
)
class Behaves(FunctionBlock[Params, Nothing]):
    """Does one of the acts above."""

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Nothing]:
        await ACTS[params.act](Random(params.seed))
        return FunctionBlockResult(success=True, message="Done")
