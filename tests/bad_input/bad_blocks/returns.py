"""Returns anything but the result it should, from `run`, `acquire` and `rollback`."""

from collections.abc import Callable
from typing import Any

from common import Anything, Choice, bad

from sdk import (
    AcquireParams,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockResultData,
    FunctionBlockRollbackResult,
    WorkflowContext,
    register_function_block,
)


class OtherData(FunctionBlockResultData):
    other: int = 1


async def forgotten() -> Any:
    return FunctionBlockResult(success=True, message="ok")


def changed(**changes: Any) -> FunctionBlockResult[Any]:
    result = FunctionBlockResult(success=True, message="ok", data=Anything())
    for name, value in changes.items():
        setattr(result, name, value)
    return result


RETURNED: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "dict": lambda: {"success": True, "message": "ok"},
    "text": lambda: "ok",
    "true": lambda: True,
    "data": lambda: Anything(value=1),
    "class": lambda: FunctionBlockResult,
    "coroutine": lambda: forgotten(),
    "generator": lambda: (each for each in "ab"),
    "other data": lambda: FunctionBlockResult(success=True, message="ok", data=OtherData()),
    "dict as data": lambda: FunctionBlockResult(success=True, message="ok", data={"value": 1}),
    "no message": lambda: FunctionBlockResult(success=True),
    "message none": lambda: changed(message=None),
    "success text": lambda: changed(success="yes"),
    "retryable number": lambda: changed(retryable=5),
    "acquire result": lambda: FunctionBlockAcquireResult(success=True, message="ok"),
    "rollback result": lambda: FunctionBlockRollbackResult(success=True, message="ok"),
    "acquires: dict": lambda: FunctionBlockAcquireResult(success=True, message="ok", acquires=[{"a": 1}]),
    "acquires: None": lambda: FunctionBlockAcquireResult(success=True, message="ok", acquires=[None]),
    "surrogate message": lambda: FunctionBlockResult(success=False, message="half \ud83d pair"),
    "huge message": lambda: FunctionBlockResult(success=False, message="x" * 20_000_000),
}


@register_function_block(bad("returned"))
class Returned(FunctionBlock[Choice, Anything]):
    async def run(self, params: Choice, context: WorkflowContext) -> FunctionBlockResult[Anything]:
        return RETURNED[params.which]()

    async def acquire(self, params: AcquireParams[Choice]) -> FunctionBlockAcquireResult:
        return RETURNED[params.partial.which]()

    async def rollback(
        self, params: Choice, context: WorkflowContext, result_from_failed: Any = None
    ) -> FunctionBlockRollbackResult:
        return RETURNED[params.which]()
