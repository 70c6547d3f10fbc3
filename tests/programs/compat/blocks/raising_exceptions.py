"""Exceptions of the author, of a library, and of a helper further down."""

from neops_worker_sdk.connection.exceptions import ConnectionCreationError
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


class OutOfRacksError(RuntimeError):
    pass


class RaiseParams(FunctionBlockParams):
    what: str


class RaiseResult(FunctionBlockResultData):
    pass


@register_function_block(
    Registration(
        name="raise_it",
        description="Raises an exception",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=RaiseParams,
        result_cls=RaiseResult,
    )
)
class Raise(FunctionBlock[RaiseParams, RaiseResult]):
    async def acquire(self, params: AcquireParams[RaiseParams]) -> FunctionBlockAcquireResult:
        if params.partial.what == "acquire":
            raise OutOfRacksError("no rack is left to acquire")
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: RaiseParams, context: WorkflowContext) -> FunctionBlockResult[RaiseResult]:
        match params.what:
            case "own":
                raise OutOfRacksError("no rack is left")
            case "key":
                return {}["missing"]  # type: ignore[return-value]
            case "connection":
                raise ConnectionCreationError("The device does not answer", device_id="17")
        return FunctionBlockResult(message="Nothing was raised", success=True, data=RaiseResult())
