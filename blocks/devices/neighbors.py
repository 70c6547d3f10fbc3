"""`neops_base/neighbors`: which devices a device sees on its interfaces, by LLDP and CDP."""

from dataclasses import asdict

from pydantic import Field

from blocks.devices.params import DeviceParams
from sdk import (
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import Information, Neighbor
from sdk.testing import fb_test_case_with_lab


class NeighborsParams(DeviceParams):
    """How to reach the device, and what to do with what it says."""

    store: bool = Field(default=True, description="Store the neighbors as the fact `neighbors` of the device")


class NeighborsResult(FunctionBlockResultData):
    """The neighbors in the order of the device. A neighbor that LLDP and CDP both see is there twice."""

    neighbors: list[Neighbor]


Result = FunctionBlockResult[NeighborsResult]


@fb_test_case_with_lab(
    "reads what the device sees",
    NeighborsParams(),
    remote_lab_fixture="simple_iol",
    assertions=[
        lambda result: len(result.data.neighbors) > 0,
        lambda result: all(each.local_interface and each.name for each in result.data.neighbors),
    ],
)
@register_function_block(
    Registration(
        package="neops_base",
        name="neighbors",
        version=(1, 0, 0),
        description="Reads which neighbors a device sees by LLDP and CDP",
        markdown_helptext="Returns each neighbor with protocol, local interface, name, interface and address, and "
        "stores them as the fact `neighbors` of the device. Where no discovery protocol runs, it fails and says so.",
        run_on="device",
        fb_type="facts",
        param_cls=NeighborsParams,
        result_cls=NeighborsResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class Neighbors(FunctionBlock[NeighborsParams, NeighborsResult]):
    """Reads which neighbors a device sees."""

    async def run(self, params: NeighborsParams, context: WorkflowContext) -> Result:
        """Return the neighbors. Raises `DeviceError`."""
        device = context.device
        assert device is not None  # registered to run on a device
        async with params.connect(device, Information) as connection:
            neighbors = await connection.get_neighbors(timeout=params.read_timeout_seconds)
        if params.store:
            device.facts = {**(device.facts or {}), "neighbors": [asdict(each) for each in neighbors]}
        message = f"Sees {len(neighbors)} neighbors"
        return Result(success=True, message=message, data=NeighborsResult(neighbors=neighbors))
