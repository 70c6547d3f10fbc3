"""A block that asks for things before the first step."""

import json
from typing import Any

from declaring import NoData, contract_block
from pydantic import Field

from sdk import (
    AcquireParams,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    WorkflowContext,
    register_function_block,
)
from sdk.acquire import EntityAcquireByElasticQuery, EntityAcquireContext


class WantsParams(FunctionBlockParams):
    """What to ask for, and a field that only a later step can fill."""

    kinds: list[str] = Field(description="Kinds of acquire items")
    later: str = Field(description="Comes from an earlier step's result")


@register_function_block(contract_block("wants", WantsParams))
class Wants(FunctionBlock[WantsParams, NoData]):
    """Asks for one item of each kind."""

    async def acquire(self, params: AcquireParams[WantsParams]) -> FunctionBlockAcquireResult:
        """Return the items; the message says which parameters are not known yet."""
        items: dict[str, Any] = {
            "elastic": EntityAcquireByElasticQuery(entity="device", query="hostname: sw*", limit=5),
            "context": EntityAcquireContext(entity="interface", filter="[?name]", assert_not_empty=True),
            "expansion": {"type": "expansion", "entity": "device", "expandFromSeedEntity": True},
            "reference": {"type": "reference", "entity": "device", "label": "earlier"},
        }
        message = json.dumps(sorted(params.unresolved))
        return FunctionBlockAcquireResult(
            success=True, message=message, acquires=[items[kind] for kind in params.partial.kinds]
        )

    async def run(self, params: WantsParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return a success: only the acquiring matters."""
        return FunctionBlockResult(success=True, message="Ran", data=NoData())
