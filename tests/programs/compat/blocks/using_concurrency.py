"""Threads, parallel calls and tasks."""

import asyncio
import threading
import time

from neops_worker_sdk.concurrency import run_in_thread, run_parallel, schedule_task
from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.workflow_context import WorkflowContext


class ConcurrencyParams(FunctionBlockParams):
    numbers: list[int]
    bad: int | None = None


class ConcurrencyResult(FunctionBlockResultData):
    squares: list[int]
    task: str
    in_another_thread: bool


@run_in_thread
def square(number: int, bad: int | None = None) -> tuple[int, int]:
    if number == bad:
        raise ValueError(f"{number} can't be squared here")
    time.sleep(0.01)
    return number * number, threading.get_ident()


@schedule_task
async def greet(name: str) -> str:
    await asyncio.sleep(0)
    return f"hello {name}"


@register_function_block(
    Registration(
        name="use_concurrency",
        description="Does several things at once",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=ConcurrencyParams,
        result_cls=ConcurrencyResult,
    )
)
class UseConcurrency(FunctionBlock[ConcurrencyParams, ConcurrencyResult]):
    async def acquire(self, params: AcquireParams[ConcurrencyParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(
        self, params: ConcurrencyParams, context: WorkflowContext
    ) -> FunctionBlockResult[ConcurrencyResult]:
        task = greet("task")
        found = await run_parallel(*(square(number, bad=params.bad) for number in params.numbers))
        return FunctionBlockResult(
            message="All is done",
            success=True,
            data=ConcurrencyResult(
                squares=[number for number, _ in found],
                task=await task,
                in_another_thread=all(thread != threading.get_ident() for _, thread in found),
            ),
        )
