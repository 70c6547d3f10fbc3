"""`neops_base/show_command`: runs show commands on a network device over SSH, with netmiko.

netmiko is imported here, at the top: the worker's template pays for it once, its children get it by fork.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from blocks.show_request import reading_command
from blocks.ssh import (
    DeviceError,
    Login,
    Session,
    UnexpectedDeviceError,
    is_rejection,
    netmiko_device_type,
    parse_reply,
)
from sdk import (
    DeviceEntity,
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)

Command = Annotated[str, Field(max_length=500), AfterValidator(reading_command)]


class ShowCommandParams(FunctionBlockParams):
    """What to ask the device, and how to reach it."""

    commands: list[Command] = Field(min_length=1, max_length=20, description="Show commands, in this order")
    device_type: str | None = Field(
        default=None, description="netmiko's device type, instead of the platform's"
    )
    port: int = Field(default=22, ge=1, le=65535, description="TCP port of the SSH service")
    use_textfsm: bool = Field(
        default=False, description="Also return the outputs as rows, where a template fits"
    )
    login_timeout_seconds: float = Field(
        default=30, ge=0.1, le=300, description="For connection and first prompt"
    )
    read_timeout_seconds: float = Field(
        default=30, ge=0.1, le=600, description="For the output of each command"
    )


class CommandOutput(BaseModel):
    """One command and its answer. `rejected`: the device did not understand it."""

    command: str
    output: str
    rejected: bool
    parsed: list[dict[str, Any]] | None = None


class ShowCommandResult(FunctionBlockResultData):
    """The answers so far, in the order of the commands. An output can hold secrets: devices print some."""

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
        "(`show`, `display`, `get`). The device's platform decides on the driver. Host keys are not checked.",
        run_on="device",
        fb_type="facts",
        param_cls=ShowCommandParams,
        result_cls=ShowCommandResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class ShowCommand(FunctionBlock[ShowCommandParams, ShowCommandResult]):
    """Runs show commands on a device. Cancelled, it cuts the connection and waits for netmiko's end.

    Host keys are not checked, as is netmiko's default: use it on a management network that you trust.
    """

    async def run(self, params: ShowCommandParams, context: WorkflowContext) -> ShowResult:
        """Return the outputs; success means that the device answered and understood every command."""
        try:
            login = _login(params, context.device)
        except ValueError as error:
            return ShowResult(success=False, message=str(error), retryable=False)
        data = ShowCommandResult(host=login.host, device_type=login.device_type, outputs=[])
        try:
            async with Session(login, params.login_timeout_seconds) as session:
                for command in params.commands:
                    output = await session.send(command, params.read_timeout_seconds)
                    data.outputs.append(_answer(params, login.device_type, command, output))
        except DeviceError as error:
            if isinstance(error, UnexpectedDeviceError):
                self.logger.exception("netmiko failed on %s", login.where)
            return ShowResult(success=False, message=str(error), data=data, retryable=error.retryable)
        return _result(login, data)


def _login(params: ShowCommandParams, device: DeviceEntity | None) -> Login:
    """Take the login from the device of the job; a `ValueError` says what is missing, for the result."""
    if device is None:
        raise ValueError("The job has no device. Run this block on devices.")
    name = f"Device {device.id}"
    host = device.ip or device.hostname
    if not host:
        raise ValueError(f"{name} has neither an address nor a host name. Add one in the inventory.")
    if not device.username or not device.password:
        raise ValueError(f"{name} ({host}) has no username or no password. Add both in the inventory.")
    platform = params.device_type or (device.platform.short_name if device.platform else None)
    if not platform:
        raise ValueError(f"{name} ({host}) has no platform. Add one in the inventory, or give `device_type`.")
    device_type = netmiko_device_type(platform)
    if device_type is None:
        raise ValueError(f"netmiko has no SSH driver for {platform!r} ({name}, {host}). Give `device_type`.")
    return Login(host, params.port, device_type, device.username, device.password)


def _answer(params: ShowCommandParams, device_type: str, command: str, output: str) -> CommandOutput:
    rejected = is_rejection(output)
    parsed = parse_reply(device_type, command, output) if params.use_textfsm and not rejected else None
    return CommandOutput(command=command, output=output, rejected=rejected, parsed=parsed)


def _result(login: Login, data: ShowCommandResult) -> ShowResult:
    rejected = [answer.command for answer in data.outputs if answer.rejected]
    if rejected:
        message = (
            f"{login.where} did not understand {len(rejected)} of {len(data.outputs)} commands: "
            f"{', '.join(map(repr, rejected))}. Check them against its platform and the user's rights."
        )
        return ShowResult(success=False, message=message, data=data, retryable=False)
    return ShowResult(
        success=True,
        message=f"{login.where} answered {len(data.outputs)} of {len(data.outputs)} commands",
        data=data,
    )
