"""Ends in every way but by returning its result."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from common import Anything, Choice, bad

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block


class OwnBaseException(BaseException):
    pass


class SilentError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class ExitingError(Exception):
    def __str__(self) -> str:
        sys.exit(5)


class NoTextError(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


def raising(error: BaseException) -> Callable[[], Any]:
    def go() -> Any:
        raise error

    return go


def chained() -> None:
    try:
        raising(OSError("the device hung up"))()
    except OSError as error:
        raise RuntimeError("could not read the configuration") from error


def in_a_library() -> None:
    import json

    json.loads("{")


def with_notes() -> None:
    error = ValueError("noted")
    error.add_note("while on port 7")
    error.__notes__.append("y" * 10_000_000)
    raise error


ENDS: dict[str, Callable[[], Any]] = {
    "base exception": raising(OwnBaseException("own")),
    "keyboard interrupt": raising(KeyboardInterrupt()),
    "generator exit": raising(GeneratorExit()),
    "cancelled error": raising(asyncio.CancelledError()),
    "stop iteration": raising(StopIteration(5)),
    "sys.exit(0)": lambda: sys.exit(0),
    "sys.exit(text)": lambda: sys.exit("no route"),
    "quit()": lambda: quit(),
    "os._exit(0)": lambda: os._exit(0),
    "str raises": raising(SilentError()),
    "str exits": raising(ExitingError()),
    "str is none": raising(NoTextError()),
    "huge text": raising(ValueError("x" * 20_000_000)),
    "huge notes": with_notes,
    "group": raising(ExceptionGroup("two devices", [ValueError("first"), OSError("second")])),
    "chained": chained,
    "library": in_a_library,
    "surrogate": raising(ValueError("half \ud83d pair")),
    "recursion": lambda: ENDS["recursion"](),
}


@register_function_block(bad("end"))
class End(FunctionBlock[Choice, Anything]):
    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        return ENDS[params.which]()


@register_function_block(bad("end_in_thread"))
class EndInThread(FunctionBlock[Choice, Anything]):
    def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:  # type: ignore[override]
        return ENDS[params.which]()


@register_function_block(bad("end_of_task"))
class EndOfTask(FunctionBlock[Choice, Anything]):
    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        task = asyncio.create_task(self.other(params.which))
        await asyncio.sleep(60)
        await task
        raise AssertionError

    async def other(self, which: str) -> None:
        ENDS[which]()


@register_function_block(bad("cancel_itself"))
class CancelItself(FunctionBlock[Choice, Anything]):
    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        if params.which != "return":
            await asyncio.sleep(60)
        return FunctionBlockResult(success=True, message="ok")
