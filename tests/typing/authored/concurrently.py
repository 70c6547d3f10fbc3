"""`sdk.concurrency` keeps the types of what it runs."""

import asyncio
from collections.abc import Coroutine
from typing import assert_type

from common import Data, Params

import sdk.concurrency
from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext
from sdk.concurrency import run_in_thread, run_parallel, schedule_task


@run_in_thread
def show(host: str, command: str = "show version") -> str:
    return host + command


@schedule_task
async def note(text: str) -> int:
    return len(text)


@schedule_task  # expect: mypy[arg-type] basedpyright[reportArgumentType]
def not_async(text: str) -> int:
    return len(text)


class Right(FunctionBlock[Params, Data]):
    @run_in_thread
    def blocking(self, host: str) -> int:
        return len(host)

    @schedule_task
    async def later(self, host: str) -> bytes:
        return host.encode()

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        assert_type(await self.blocking(params.host), int)
        assert_type(self.later(params.host), asyncio.Task[bytes])
        assert_type(await self.later(params.host), bytes)
        self.blocking(  # expect: mypy[unused-coroutine] basedpyright[reportUnusedCoroutine]
            5  # expect: mypy[arg-type] basedpyright[reportArgumentType]
        )
        self.later()  # expect: mypy[call-arg] basedpyright[reportCallIssue]
        return FunctionBlockResult(success=True, message="ok", data=Data(version="1"))


async def use(hosts: list[str]) -> None:
    assert_type(await show("r1"), str)
    assert_type(await show("r1", command="show ip"), str)
    assert_type(note("half way"), asyncio.Task[int])
    assert_type(await run_parallel(*(show(host) for host in hosts), limit=50), list[str])
    assert_type(await run_parallel(show("r1"), note("2")), tuple[str, int])
    both = await run_parallel(show("r1"), note("2"), return_exceptions=True)
    assert_type(both, tuple[str | BaseException, int | BaseException])
    either = await run_parallel(*[show("r1")], return_exceptions=True)
    assert_type(either, list[str | BaseException])
    waiting: Coroutine[object, None, str] = show("r1")
    await waiting
    show(  # expect: mypy[unused-coroutine] basedpyright[reportUnusedCoroutine]
        5  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    )
    show("r1", wait=5)  # expect: mypy[call-arg] mypy[unused-coroutine] basedpyright[reportCallIssue]
    (await show("r1")).version  # expect: mypy[attr-defined] basedpyright[reportAttributeAccessIssue]
    await run_parallel(  # expect: mypy[call-overload] basedpyright[reportCallIssue]
        show  # expect: basedpyright[reportArgumentType]
    )
    await run_parallel(  # expect: mypy[call-overload] basedpyright[reportCallIssue]
        show("r1"),
        limit="5",  # expect: basedpyright[reportArgumentType]
    )
    await run_parallel(  # expect: mypy[call-overload] basedpyright[reportCallIssue]
        [show("r1")]  # expect: basedpyright[reportArgumentType]
    )
    sdk.concurrency.run_paralel  # expect: mypy[attr-defined] basedpyright[reportAttributeAccessIssue]
