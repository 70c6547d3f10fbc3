"""A router that runs Linux, asked by the plugin that is there: one thing each job."""

from collections.abc import Callable
from typing import Any, Literal

from neops_worker_sdk.concurrency import run_in_thread
from neops_worker_sdk.connection.exceptions import NotImplementedForThisPlatform
from neops_worker_sdk.connection.proxy import NetworkDeviceConnectionProxy, NetworkDeviceDiscoveryProxy
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


class ReadParams(FunctionBlockParams):
    what: Literal["information", "configurations", "interfaces", "command"]


class ReadResult(FunctionBlockResultData):
    told: list[str]


@register_function_block(
    Registration(
        name="read_linux_router",
        description="Reads one thing of a router that runs Linux",
        package="compat",
        run_on="device",
        fb_type="facts",
        param_cls=ReadParams,
        result_cls=ReadResult,
    )
)
class ReadLinuxRouter(FunctionBlock[ReadParams, ReadResult]):
    async def acquire(self, params: AcquireParams[ReadParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: ReadParams, context: WorkflowContext) -> FunctionBlockResult[ReadResult]:
        told = await read(context.device, READERS[params.what])
        return FunctionBlockResult(message="Read", success=True, data=ReadResult(told=told))


@run_in_thread
def read(device: Any, reader: Callable[[Any], list[str]]) -> list[str]:
    return reader(device)


def information(device: Any) -> list[str]:
    with NetworkDeviceDiscoveryProxy.connect(device, "ssh", fallback_to_default=True) as router:
        known = router.get_information()
    # The rest of these depends on the machine that the lab is on.
    model, release = known.model.partition(" ")[0], known.software_release.partition(" ")[0]
    return [known.hostname, known.vendor, model, "a serial" if known.serial else "none", release]


def configurations(device: Any) -> list[str]:
    with NetworkDeviceDiscoveryProxy.connect(device, "ssh") as router:
        found = router.get_config()
    wanted = ("hostname r1", "router ospf", " network 172.16.1.0/24", "interface eth9")
    texts = {"running": found.running.splitlines(), "startup": found.startup.splitlines()}
    return [f"{name}: {line.strip()}" for name, lines in texts.items() for line in lines if line in wanted]


def interfaces(device: Any) -> list[str]:
    with NetworkDeviceDiscoveryProxy.connect(device, "ssh") as router:
        found = router.get_interfaces()
    return sorted(f"{each.name} {each.status.value} {each.description}" for each in found)


def command(device: Any) -> list[str]:
    with NetworkDeviceConnectionProxy.connect(device, "ssh") as router:
        try:
            answer = router.send_command("show version", timeout=20)
        except NotImplementedForThisPlatform:
            return ["no commands"]
    return [line.split()[0] for line in answer.output.splitlines() if "FRRouting" in line]


READERS: dict[str, Callable[[Any], list[str]]] = {
    "information": information,
    "configurations": configurations,
    "interfaces": interfaces,
    "command": command,
}
