"""Blocks that change their context, and one that can take back what it did."""

import json

from declaring import ChoiceParams, NoData, contract_block

from sdk import (
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockRollbackResult,
    WorkflowContext,
    register_function_block,
)
from sdk.entities import Interface, InterfaceField


@register_function_block(contract_block("change", ChoiceParams, run_on="device"))
class Change(FunctionBlock[ChoiceParams, NoData]):
    """Creates, patches and deletes in one job; with the choice `fail` it returns a failure all the same."""

    async def run(self, params: ChoiceParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return what was asked for, after the changes."""
        device = context.device
        assert device is not None
        device.software_release = None
        device.facts = {"uptime": 0, "ports": [1, None, 2.5], "large": 2**53}
        device.interface_count = 7  # read-only: must not be sent
        context.device_groups.clear()
        context.interfaces.append(
            Interface(
                name="Gi0/9",
                ifindex=9,
                skip_if_identifier_exists=True,
                identifier_fields=[InterfaceField.name],
            )
        )
        return FunctionBlockResult(success=params.choice != "fail", message="Changed it", data=NoData())


@register_function_block(contract_block("undo", ChoiceParams, run_on="device", reversible=True))
class Undo(FunctionBlock[ChoiceParams, NoData]):
    """Says what its rollback was given, and changes the context in it."""

    async def run(self, params: ChoiceParams, context: WorkflowContext) -> FunctionBlockResult[NoData]:
        """Return a success without a word."""
        return FunctionBlockResult(success=True, message="Done", data=NoData())

    async def rollback(
        self,
        params: ChoiceParams,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[NoData] | None = None,
    ) -> FunctionBlockRollbackResult:
        """Return the choice, the device's hostname and whether there was a forward result."""
        assert context.device is not None
        context.device.vendor = "changed in a rollback"
        seen = [params.choice, context.device.hostname, result_from_failed]
        return FunctionBlockRollbackResult(success=True, message=json.dumps(seen))
