"""Results: with and without data, of many types, successful and not."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

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


class Health(Enum):
    GOOD = "good"
    BAD = "bad"


class ReturnParams(FunctionBlockParams):
    kind: str


class ReturnResult(FunctionBlockResultData):
    health: Health
    measured_at: datetime
    price: Decimal
    pair: tuple[int, str]
    anything: dict[str, Any]
    nothing: str | None = None


DATA = ReturnResult(
    health=Health.GOOD,
    measured_at=datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
    price=Decimal("12.50"),
    pair=(7, "seven"),
    anything={"a": [1, None, 2.5, True], "b": {"c": "ü"}},
)


@register_function_block(
    Registration(
        name="return_result",
        description="Returns results of several kinds",
        package="compat",
        run_on="global",
        fb_type="execute",
        param_cls=ReturnParams,
        result_cls=ReturnResult,
        markdown_helptext="`kind` is *data*, *no_data*, *failed* or *failed_with_data*.",
        version=(2, 1, 3),
    )
)
class ReturnKind(FunctionBlock[ReturnParams, ReturnResult]):
    async def acquire(self, params: AcquireParams[ReturnParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True, acquires=[])

    async def run(self, params: ReturnParams, context: WorkflowContext) -> FunctionBlockResult[ReturnResult]:
        failed = params.kind.startswith("failed")
        data = DATA if params.kind in ("data", "failed_with_data") else None
        return FunctionBlockResult(message=f"This is {params.kind}", success=not failed, data=data)
