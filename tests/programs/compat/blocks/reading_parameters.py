"""Parameters: defaults, validation, nested models, enumerations, fields that nobody knows."""

from enum import Enum

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
from pydantic import BaseModel, Field, field_validator


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


class Vlan(BaseModel):
    number: int = Field(ge=1, le=4094)
    name: str = "unnamed"


class ReadParams(FunctionBlockParams):
    site: str
    count: int = Field(default=3, ge=0)
    speed: Speed = Speed.SLOW
    vlans: list[Vlan] = Field(default_factory=list)
    note: str | None = None

    @field_validator("site")
    @classmethod
    def in_capitals(cls, value: str) -> str:
        return value.upper()


class ReadResult(FunctionBlockResultData):
    site: str
    count: int
    speed: Speed
    vlans: list[Vlan]
    note: str | None


@register_function_block(
    Registration(
        name="read",
        description="Says which parameters it was given",
        package="compat",
        run_on="global",
        fb_type="check",
        param_cls=ReadParams,
        result_cls=ReadResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class Read(FunctionBlock[ReadParams, ReadResult]):
    async def acquire(self, params: AcquireParams[ReadParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: ReadParams, context: WorkflowContext) -> FunctionBlockResult[ReadResult]:
        return FunctionBlockResult(
            message=f"Read {len(params.vlans)} VLANs of {params.site}",
            success=True,
            data=ReadResult(
                site=params.site,
                count=params.count,
                speed=params.speed,
                vlans=params.vlans,
                note=params.note,
            ),
        )
