"""What blocks do with a router by the plugin that is there: commands, facts, a change."""

from typing import Any

from neops_worker_sdk.concurrency import run_in_thread
from neops_worker_sdk.connection.proxy import NetworkDeviceConnectionProxy
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


class WorkParams(FunctionBlockParams):
    description: str


class WorkResult(FunctionBlockResultData):
    banner: str
    version: str
    refused: bool
    information: list[str]
    interfaces: list[str]
    neighbors: list[str]
    has_hostname: bool
    is_in_the_diff: bool
    is_configured: bool


@register_function_block(
    Registration(
        name="work_on_device",
        description="Asks a router, and describes an interface of it",
        package="compat",
        run_on="device",
        fb_type="configure",
        param_cls=WorkParams,
        result_cls=WorkResult,
    )
)
class WorkOnDevice(FunctionBlock[WorkParams, WorkResult]):
    async def acquire(self, params: AcquireParams[WorkParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: WorkParams, context: WorkflowContext) -> FunctionBlockResult[WorkResult]:
        data = await work(context.device, params.description)
        return FunctionBlockResult(message="Worked", success=True, data=data)


@run_in_thread
def work(device: Any, description: str) -> WorkResult:
    with NetworkDeviceConnectionProxy.connect(device, connection_type="ssh") as router:
        version = router.send_command("show version", timeout=20)
        refused = router.send_command("show nonsense")
        known = router.get_information()
        interfaces, neighbors = router.get_interfaces(), router.get_neighbors()
        before = router.get_config().running
        change = router.send_configs(["interface Loopback7", f"description {description}"])
        router.save_config()
        after = router.get_config()
    wanted = f"description {description}"
    return WorkResult(
        banner=version.output.splitlines()[0],
        version=str((version.parsed_output or [{}])[0].get("version")),
        refused="Invalid input" in refused.output,
        information=[known.hostname, known.vendor, known.model, known.serial, known.software_release],
        interfaces=[f"{each.name} {each.status.value} {each.description}" for each in interfaces],
        neighbors=[f"{each.hostname} {each.local_interface}" for each in neighbors],
        has_hostname="hostname r1" in before.splitlines(),
        is_in_the_diff=wanted in change.diff and wanted not in before,
        is_configured=wanted in after.running and wanted in after.startup,
    )
