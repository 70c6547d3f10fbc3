"""`neops_base/interface_facts`: reads the interfaces of a device, and writes them into the database.

The block updates the interfaces of this device that are in the context, and creates the others.
"""

from pydantic import Field

from blocks.devices.params import DeviceParams
from blocks.devices.stored_interfaces import Stored, store_interfaces
from sdk import (
    AcquireParams,
    EntityAcquireContext,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import Information, InterfaceFacts
from sdk.testing import fb_test_case_with_lab


class InterfaceFactsParams(DeviceParams):
    """How to reach the device, and whether to write what was found into the database."""

    store: bool = Field(default=True, description="Bring the interfaces in the database up to date")


class InterfaceFactsResult(FunctionBlockResultData):
    """All interfaces of the device, in its order; and by name, what was done with each in the database."""

    interfaces: list[InterfaceFacts]
    created: list[str]
    changed: list[str]
    missing: list[str] = Field(description="In the database, but no more on the device; they are left alone")


Result = FunctionBlockResult[InterfaceFactsResult]


@fb_test_case_with_lab(
    "reads every interface of the device",
    InterfaceFactsParams(),
    remote_lab_fixture="simple_iol",
    assertions=[
        lambda result: result.data.created == [each.name for each in result.data.interfaces],
        lambda result: result.data.interfaces[0].name == "GigabitEthernet0/0",
        lambda result: result.data.interfaces[0].addresses == ("192.0.2.1/24",),
    ],
)
@fb_test_case_with_lab(
    "leaves the database alone where it is told to",
    InterfaceFactsParams(store=False),
    remote_lab_fixture="simple_iol",
    assertions=[lambda result: result.data.created == [], lambda result: len(result.data.interfaces) > 2],
)
@register_function_block(
    Registration(
        package="neops_base",
        name="interface_facts",
        version=(1, 0, 0),
        description="Reads the interfaces of a device and stores them in the database",
        markdown_helptext="Reads names, states, descriptions, addresses, MTU and speed. Interfaces of the context are "
        "updated, others created. Acquire the device's interfaces in the workflow, so that the context has them.",
        run_on="device",
        fb_type="facts",
        param_cls=InterfaceFactsParams,
        result_cls=InterfaceFactsResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class InterfaceFactsBlock(FunctionBlock[InterfaceFactsParams, InterfaceFactsResult]):
    """Reads the interfaces of a device."""

    async def acquire(self, params: AcquireParams[InterfaceFactsParams]) -> FunctionBlockAcquireResult:
        """Ask for the interfaces of the run, because the block may change them."""
        if params.partial.store is False:
            return FunctionBlockAcquireResult(success=True, message="Nothing is written")
        mine = EntityAcquireContext(entity="interface", filter="[]", description="Those that are updated")
        return FunctionBlockAcquireResult(success=True, message="Acquired the interfaces", acquires=[mine])

    async def run(self, params: InterfaceFactsParams, context: WorkflowContext) -> Result:
        """Return the interfaces. Raises `DeviceError`."""
        async with params.connect(context.device, Information) as connection:
            interfaces = await connection.get_interfaces(timeout=params.read_timeout_seconds)
        stored = store_interfaces(context, interfaces) if params.store else Stored()
        data = InterfaceFactsResult(
            interfaces=interfaces, created=stored.created, changed=stored.changed, missing=stored.missing
        )
        message = f"Read {len(interfaces)} interfaces"
        if params.store:
            message += f": {len(stored.created)} created, {len(stored.changed)} changed"
        if stored.missing:
            message += f"; no more on the device: {', '.join(stored.missing)}"
        return Result(success=True, message=message, data=data)
