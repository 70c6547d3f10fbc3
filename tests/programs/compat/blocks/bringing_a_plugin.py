"""An author's own connection plugin, with a proxy over it."""

from typing import Any

from neops_worker_sdk.connection.capabilities import NetworkDeviceExecutionCapability
from neops_worker_sdk.connection.capabilities.network_device_execution import CommandResult
from neops_worker_sdk.connection.exceptions import NotImplementedForThisPlatform
from neops_worker_sdk.connection.proxy import NetworkDeviceConnectionProxy
from neops_worker_sdk.connection.registry import register_connection_plugin
from neops_worker_sdk.connection.types import BaseConnection, ConnectionPlugin
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


class ParrotConnection(BaseConnection[list[str]]):
    def connect(self, **kwargs: Any) -> None:
        self._connection = ["connected"]

    def _close_raw(self, raw: list[str]) -> None:
        raw.clear()

    @property
    def is_alive(self) -> bool:
        return bool(self._connection_or_none)


@register_connection_plugin()
class ParrotPlugin(ConnectionPlugin[ParrotConnection, list[str]], NetworkDeviceExecutionCapability):
    platform = "parrot"
    connection_type = "speech"
    connection_library = "parrot"

    def _create_connection(self) -> ParrotConnection:
        return ParrotConnection(self.device)

    def send_command(self, command: str, timeout: int | None = None) -> CommandResult:
        raw = self.require_raw_connection()
        return CommandResult(output=f"{raw[0]}: {command}", parsed_output=None)

    def send_command_expect(self, command: str, expect: str, timeout: int | None = None) -> CommandResult:
        return CommandResult(output=expect, parsed_output=None)

    def send_interactive(
        self, interactions: list[tuple[str, str]], timeout: int | None = None
    ) -> CommandResult:
        return CommandResult(output=str(interactions), parsed_output=[{"n": len(interactions)}])


class RepeatParams(FunctionBlockParams):
    words: str


class RepeatResult(FunctionBlockResultData):
    output: str
    refused: str


@register_function_block(
    Registration(
        name="repeat_words",
        description="Has a parrot repeat words",
        package="compat",
        run_on="device",
        fb_type="check",
        param_cls=RepeatParams,
        result_cls=RepeatResult,
    )
)
class RepeatWords(FunctionBlock[RepeatParams, RepeatResult]):
    async def acquire(self, params: AcquireParams[RepeatParams]) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(message="Nothing is needed", success=True)

    async def run(self, params: RepeatParams, context: WorkflowContext) -> FunctionBlockResult[RepeatResult]:
        assert context.device is not None
        with NetworkDeviceConnectionProxy.connect(context.device, connection_type="speech") as parrot:
            output = parrot.send_command(params.words).output
            try:
                parrot.get_config()
                refused = "nothing"
            except NotImplementedForThisPlatform as error:
                refused = f"{error.context.method_name} on {error.context.platform}" if error.context else "?"
        return FunctionBlockResult(
            message="Repeated", success=True, data=RepeatResult(output=output, refused=refused)
        )
