"""What is said of an exception of a block: enough to find the cause, and no secret."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from sdk_support import (
    PASSWORD,
    TextParams,
    TextResult,
    block_raising,
    device_context,
)

from sdk import (
    DeviceEntity,
    FunctionBlock,
    FunctionBlockResult,
    WorkflowContext,
)


def global_context() -> WorkflowContext:
    return WorkflowContext({}, "global")


async def execute(block: FunctionBlock[Any, Any]) -> FunctionBlockResult[Any]:
    return await block.execute_function_block(TextParams(), global_context())


class Outspoken(FunctionBlock[TextParams, TextResult]):
    """Says all it knows in its exceptions."""

    async def run(self, params: TextParams, context: WorkflowContext) -> FunctionBlockResult[TextResult]:
        assert context.device is not None
        error = ValueError(f"login {context.device.password} with pin {params.pin!r}")
        error.add_note(f"again: {params.pin}")
        try:
            raise error
        except ValueError as cause:
            raise RuntimeError(f"can't use {context.device.password}") from cause


async def test_secrets_appear_neither_in_the_message_nor_in_the_logged_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = await Outspoken().execute_function_block(TextParams(pin="it's-me"), device_context())
    assert result.message.startswith("Outspoken raised RuntimeError: can't use *** (")
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("ERROR", None)
    assert "ValueError: login *** with pin" in caplog.text
    assert "direct cause" in caplog.text
    assert "raise RuntimeError(f\"can't use" in caplog.text
    for secret in (PASSWORD, "it's-me", repr("it's-me")[1:-1]):
        assert secret not in caplog.text + result.message


async def test_a_validation_error_in_a_block_does_not_show_its_input(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Model(BaseModel):
        number: int

    class Validating(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            Model.model_validate({"number": params.text})
            raise AssertionError

    result = await Validating().execute_function_block(TextParams(text="swordfish"), global_context())
    assert "ValidationError: Model: number: " in result.message
    assert "swordfish" not in caplog.text + result.message


async def test_an_exception_whose_text_can_not_be_read_is_a_failed_result() -> None:
    class UnreadableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    result = await execute(block_raising(UnreadableError())())
    assert "UnreadableError: (its text can't be read)" in result.message


async def test_a_lack_of_memory_has_no_text_so_what_to_do_is_said() -> None:
    result = await execute(block_raising(MemoryError())())
    assert "raised MemoryError (" in result.message
    assert "Its process got no more memory: hold less of it at a time." in result.message


async def test_a_huge_exception_text_is_cut() -> None:
    result = await execute(block_raising(ValueError("x" * 10_000_000))())
    assert len(result.message) < 3000


async def test_a_chain_of_exceptions_that_is_a_circle_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert "ValueError: first" in (await execute(block_raising(first)())).message


async def test_members_of_an_exception_group_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Grouped(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.fail("one"))
                group.create_task(self.fail("two"))
            raise AssertionError

        async def fail(self, text: str) -> None:
            raise ValueError(text)

    await execute(Grouped())
    assert "ValueError: one" in caplog.text
    assert "ValueError: two" in caplog.text
    assert "in fail" in caplog.text


async def test_a_stop_iteration_of_a_member_of_a_group_is_told_with_its_line() -> None:
    async def stop() -> None:
        raise StopIteration

    class Grouped(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            async with asyncio.TaskGroup() as group:
                group.create_task(stop())
            raise AssertionError

    # What Python makes of it has no line of its own, and a member's cause is not told.
    line = stop.__code__.co_firstlineno + 1
    told = f"; holds RuntimeError: coroutine raised StopIteration ({__file__}:{line} in stop)"
    assert told in (await execute(Grouped())).message


async def test_an_error_of_the_sdk_that_an_author_caused_is_told_with_the_authors_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Swapping(FunctionBlock[Any, Any]):
        async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
            context.device = DeviceEntity(id=6)
            raise AssertionError

    result = await Swapping().execute_function_block(TextParams(), device_context())
    assert (result.success, result.retryable) == (False, False)
    assert "ContextError: context.device can't become" in result.message
    assert f"{Path(__file__).name}:" in result.message
    assert "context.device = DeviceEntity(id=6)" in caplog.text
    assert "workflow_context.py" not in caplog.text
