"""`neops_base/show_command`: runs show commands on a network device over SSH.

The worker's template imports netmiko when it imports the blocks. That happens once; children get it by the fork.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

import sdk.connection.connection as _loaded_by_the_template  # noqa: F401  # otherwise each child takes half a second
from blocks.devices.params import DeviceParams
from blocks.show_request import as_sent, reading_command, refuse_bare_shell
from sdk import (
    FunctionBlock,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import Answer, DeviceError, Execution

Command = Annotated[str, Field(max_length=500), AfterValidator(reading_command)]


class ShowCommandParams(DeviceParams):
    """What to ask the device, and how to reach it."""

    commands: list[Command] = Field(min_length=1, max_length=20, description="Show commands, in this order")
    device_type: str | None = Field(
        default=None, description="A platform, or netmiko's device type, instead of the inventory's platform"
    )
    use_textfsm: bool = Field(
        default=False, description="Also return the outputs as data, where the device or a template allows it"
    )
    max_output_bytes: int = Field(
        default=1_000_000, ge=1000, le=8_000_000, description="Of each command; what is over it is cut"
    )
    read_timeout_seconds: float = Field(
        default=30, ge=0.1, le=600, description="For the output of each command"
    )


class CommandOutput(BaseModel):
    """One command and its answer. `rejected`: the device refused it. `cut`: its output was over the limit."""

    command: str
    output: str
    rejected: bool
    cut: bool = False
    parsed: Any = None


class ShowCommandResult(FunctionBlockResultData):
    """The answers so far, in the order of the commands. An output can hold secrets: some devices print them."""

    host: str
    device_type: str
    outputs: list[CommandOutput]


ShowResult = FunctionBlockResult[ShowCommandResult]


@register_function_block(
    Registration(
        package="neops_base",
        name="show_command",
        version=(1, 0, 0),
        description="Runs show commands on a device over SSH and returns their outputs",
        markdown_helptext="Logs in with the device's credentials and runs up to 20 commands that only read "
        "(`show`, `display`, `get`), not in a shell. With an `enable_secret` in the connection options it enters "
        "privileged mode. An output over `max_output_bytes` is cut and marked.",
        run_on="device",
        fb_type="facts",
        param_cls=ShowCommandParams,
        result_cls=ShowCommandResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class ShowCommand(FunctionBlock[ShowCommandParams, ShowCommandResult]):
    """Runs show commands on a device. If the session fails, the job fails, with the outputs up to there."""

    async def run(self, params: ShowCommandParams, context: WorkflowContext) -> ShowResult:
        """Return the outputs; success means that the device answered and understood every command."""
        data: ShowCommandResult | None = None
        try:
            connection = params.connect(
                context.device,
                Execution,
                platform=params.device_type,
                max_output_bytes=params.max_output_bytes,
            )
            refuse_bare_shell(connection)
            data = ShowCommandResult(host=connection.host, device_type=connection.netmiko_type, outputs=[])
            async with connection:
                for command in params.commands:
                    answer = await connection.send_command(
                        as_sent(command), params.read_timeout_seconds, parse=params.use_textfsm
                    )
                    data.outputs.append(_output(command, answer))
        except DeviceError as error:
            return ShowResult(success=False, message=str(error), data=data, retryable=error.retryable)
        return _result(connection.where, data)


def _output(command: str, answer: Answer) -> CommandOutput:
    return CommandOutput(
        command=command,
        output=answer.output,
        rejected=answer.is_refused,
        cut=answer.is_cut,
        parsed=answer.parsed,
    )


def _result(where: str, data: ShowCommandResult) -> ShowResult:
    rejected = [answer.command for answer in data.outputs if answer.rejected]
    if rejected:
        message = (
            f"{where} did not understand {len(rejected)} of {len(data.outputs)} commands: "
            f"{', '.join(map(repr, rejected))}. Check them against its platform and the user's rights."
        )
        return ShowResult(success=False, message=message, data=data, retryable=False)
    message = f"{where} answered {len(data.outputs)} of {len(data.outputs)} commands"
    if cut := sum(answer.cut for answer in data.outputs):
        message += f"; {cut} of the outputs are cut"
    return ShowResult(success=True, message=message, data=data)
