"""What a block's own log may show of a host and of other values, and the states that interfaces get."""

from typing import Any

from neops_worker_sdk.function_block.acquire_params import AcquireParams
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
)
from neops_worker_sdk.function_block.params import Credential, Host
from neops_worker_sdk.logger.redaction import default_redactor
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.workflow.entities import Interface
from neops_worker_sdk.workflow.workflow_context import WorkflowContext

REDACTOR = default_redactor()


class RedactParams(FunctionBlockParams):
    values: dict[str, str]
    statuses: list[str]


class RedactResult(FunctionBlockResultData):
    values: Any
    host: Any
    credential: Any
    states: list[str]


@register_function_block(
    Registration(
        name="redact",
        description="Shows values without secrets",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=RedactParams,
        result_cls=RedactResult,
    )
)
class Redact(FunctionBlock[RedactParams, RedactResult]):
    async def acquire(self, params: AcquireParams[RedactParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: RedactParams, context: WorkflowContext) -> FunctionBlockResult[RedactResult]:
        host = Host(ip="192.0.2.1", username="me", password="mine", platform="frr")
        data = RedactResult(
            values=REDACTOR.dump(params.values),
            host=REDACTOR.dump(host),
            credential=REDACTOR.dump(Credential(username="me", password="mine")),
            states=[Interface.state_from_status(status) for status in params.statuses],
        )
        return FunctionBlockResult(message="Redacted", success=True, data=data)
