"""Edits of what the job runs on: a device, an interface, a group."""

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
from neops_workflow_engine_client import DeviceTypeDto


class EditParams(FunctionBlockParams):
    fail: bool = False


class EditResult(FunctionBlockResultData):
    seen: dict[str, str | None]


class _Edit(FunctionBlock[EditParams, EditResult]):
    async def acquire(self, params: AcquireParams[EditParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    def done(self, params: EditParams, **seen: str | None) -> FunctionBlockResult[EditResult]:
        return FunctionBlockResult(
            message="Failed after the edits" if params.fail else "Edited",
            success=not params.fail,
            data=EditResult(seen=seen),
        )


def describe(device: DeviceTypeDto) -> str:
    """A helper that insists on the client's class, as helpers with type hints and pydantic fields do."""
    assert isinstance(device, DeviceTypeDto)
    platform = device.platform.short_name if device.platform else None
    return f"{device.hostname} ({platform})"


@register_function_block(
    Registration(
        name="edit_device",
        description="Edits the job's device",
        package="compat",
        run_on="device",
        fb_type="facts",
        param_cls=EditParams,
        result_cls=EditResult,
    )
)
class EditDevice(_Edit):
    async def run(self, params: EditParams, context: WorkflowContext) -> FunctionBlockResult[EditResult]:
        device = context.device
        assert device is not None
        was = describe(device)
        device.vendor = "neops"
        device.serial = None
        facts = dict(device.facts or {})
        facts["uptime"] = {"days": 12, "load": [0.5, 1]}
        facts.pop("stale", None)
        device.facts = facts
        context.devices[1].software_release = "15.2(4)M"
        return self.done(params, was=was, interface=str(context.interface), group=str(context.device_group))


@register_function_block(
    Registration(
        name="edit_interface",
        description="Edits the job's interface",
        package="compat",
        run_on="interface",
        fb_type="facts",
        param_cls=EditParams,
        result_cls=EditResult,
    )
)
class EditInterface(_Edit):
    async def run(self, params: EditParams, context: WorkflowContext) -> FunctionBlockResult[EditResult]:
        interface = context.interface
        assert interface is not None
        interface.description = "to the core"
        interface.state = "DOWN"
        return self.done(params, name=interface.name)


@register_function_block(
    Registration(
        name="edit_group",
        description="Edits the job's group",
        package="compat",
        run_on="group",
        fb_type="facts",
        param_cls=EditParams,
        result_cls=EditResult,
    )
)
class EditGroup(_Edit):
    async def run(self, params: EditParams, context: WorkflowContext) -> FunctionBlockResult[EditResult]:
        group = context.device_group
        assert group is not None
        group.title = "Core"
        group.facts = {"members": len(context.devices)}
        group.device_count = 99  # read-only: never sent
        return self.done(params, name=group.name)


class LetGoParams(FunctionBlockParams):
    how: str


@register_function_block(
    Registration(
        name="let_go_of_device",
        description="Takes the job's device out of the context's list, or puts another one in its place",
        package="compat",
        run_on="device",
        fb_type="facts",
        param_cls=LetGoParams,
        result_cls=EditResult,
    )
)
class LetGoOfDevice(FunctionBlock[LetGoParams, EditResult]):
    async def acquire(self, params: AcquireParams[LetGoParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: LetGoParams, context: WorkflowContext) -> FunctionBlockResult[EditResult]:
        device = context.device
        assert device is not None
        match params.how:
            case "remove":
                context.devices.remove(device)
            case "forget":
                context.device = None
            case "another":
                context.device = context.devices[1]
                context.device.vendor = "neops"
            case "copy":
                context.device = device.model_copy(update={"hostname": "for this connection"})
            case "copy in the list":
                context.devices[0] = device.model_copy(update={"vendor": "neops"})
        seen = {"hostname": context.device.hostname if context.device else None}
        return FunctionBlockResult(message=f"Done: {params.how}", success=True, data=EditResult(seen=seen))
