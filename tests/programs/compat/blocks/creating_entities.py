"""New entities, and such that are taken away."""

from neops_worker_sdk.connection.capabilities.network_device_information import InterfaceStatus
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
from neops_worker_sdk.workflow.entities import (
    Device,
    DeviceField,
    DeviceGroup,
    DeviceReference,
    GroupField,
    Interface,
    InterfaceField,
    Platform,
)
from neops_worker_sdk.workflow.workflow_context import WorkflowContext


class CreateParams(FunctionBlockParams):
    hostname: str = "sw-new"
    remove_first: bool = False


class CreateResult(FunctionBlockResultData):
    devices: int
    states: list[str]


@register_function_block(
    Registration(
        name="create_entities",
        description="Creates a device, its interfaces and a group",
        package="compat",
        run_on="global",
        fb_type="facts",
        param_cls=CreateParams,
        result_cls=CreateResult,
    )
)
class CreateEntities(FunctionBlock[CreateParams, CreateResult]):
    async def acquire(self, params: AcquireParams[CreateParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: CreateParams, context: WorkflowContext) -> FunctionBlockResult[CreateResult]:
        assert context.device is None
        if params.remove_first:
            context.devices.pop(0)
        device = Device(
            hostname=params.hostname,
            ip="10.0.0.9",
            platform=Platform(short_name="ios"),
            facts={"found_by": "scan"},
            skip_if_identifier_exists=True,
            identifier_fields=[DeviceField.hostname, DeviceField.ip],
        )
        context.devices.append(device)
        statuses = [InterfaceStatus.UP, InterfaceStatus.ERROR_DISABLED, InterfaceStatus.DISABLED, None]
        states = [Interface.state_from_status(status) for status in statuses]
        context.interfaces.append(
            Interface(
                name="Gi0/1",
                state=states[0],
                device=DeviceReference(hostname=params.hostname),
                skip_if_identifier_exists=True,
                identifier_fields=[InterfaceField.name],
            )
        )
        context.device_groups.append(
            DeviceGroup(name="fresh", skip_if_identifier_exists=False, identifier_fields=[])
        )
        try:
            DeviceGroup(name="x", skip_if_identifier_exists=True, identifier_fields=[])
            raise AssertionError("one creation option without the other was taken")
        except ValueError:
            pass
        assert GroupField.name.value == "name"
        return FunctionBlockResult(
            message="Created", success=True, data=CreateResult(devices=len(context.devices), states=states)
        )
