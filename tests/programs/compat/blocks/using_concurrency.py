"""Threads, parallel calls and tasks."""

import asyncio
import threading
import time
from typing import Any

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


class BeginParams(FunctionBlockParams):
    how: str


class BeginResult(FunctionBlockResultData):
    found: list[int]
    noted: list[str]


@register_function_block(
    Registration(
        name="begin_calls",
        description="Calls functions that run in a thread before it awaits them, or without",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=BeginParams,
        result_cls=BeginResult,
    )
)
class BeginCalls(FunctionBlock[BeginParams, BeginResult]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.noted: list[str] = []
        self.all_in = threading.Barrier(4)

    @run_in_thread
    def meet(self, number: int) -> int:
        # Passes only while the other three run.
        self.all_in.wait(10)
        return number

    @run_in_thread
    def note(self, text: str) -> None:
        self.noted.append(text)

    async def acquire(self, params: AcquireParams[BeginParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: BeginParams, context: WorkflowContext) -> FunctionBlockResult[BeginResult]:
        found: list[int] = []
        match params.how:
            case "awaited in turn":
                calls = [self.meet(number) for number in range(4)]
                found = [await call for call in calls]
            case "awaited by asyncio.wait":
                done, _ = await asyncio.wait([self.meet(number) for number in range(4)])
                found = sorted(call.result() for call in done)
            case "not awaited":
                self.note("seen")
                while not self.noted:
                    await asyncio.sleep(0.01)
        return FunctionBlockResult(
            message=f"Done: {params.how}", success=True, data=BeginResult(found=found, noted=self.noted)
        )
