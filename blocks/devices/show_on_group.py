"""`neops_base/show_on_group`: runs the same show commands on every device of a group, many at a time."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from blocks.devices.params import DeviceParams
from blocks.show_request import as_sent, reading_command, refuse_bare_shell
from sdk import (
    AcquireParams,
    DeviceEntity,
    EntityAcquireContext,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import Answer, DeviceOutcome, Execution, for_each_device
from sdk.testing import fb_test_case_with_lab

Command = Annotated[str, Field(max_length=500), AfterValidator(reading_command)]


class ShowOnGroupParams(DeviceParams):
    """What to ask the devices, how many at a time, and what counts as a success."""

    commands: list[Command] = Field(min_length=1, max_length=20, description="Show commands, in this order")
    parse: bool = Field(default=False, description="Also return the outputs as data, where a parser fits")
    at_a_time: int = Field(default=16, ge=1, le=64, description="So many devices at a time")
    device_timeout_seconds: float = Field(
        default=120, gt=0, le=3600, description="For each device, from its login to its last output"
    )
    max_output_bytes: int = Field(
        default=200_000, ge=1000, le=4_000_000, description="Of each command; more is cut, and marked"
    )
    succeeds_with: Literal["all", "any"] = Field(
        default="all", description="`any`: it is a success if one device has answered"
    )


class CommandOutput(BaseModel):
    """A command and its output. `rejected`: the device did not understand it. `is_cut`: there was more output."""

    command: str
    output: str
    rejected: bool
    is_cut: bool
    parsed: Any = None


class DeviceAnswer(BaseModel):
    """What became of one device. After a failure, `outputs` has what came before it."""

    device_id: int
    name: str
    succeeded: bool
    cause: str | None = None
    retryable: bool = False
    message: str = ""
    outputs: list[CommandOutput]


class ShowOnGroupResult(FunctionBlockResultData):
    """One answer for each device of the group, in its order. An output can hold secrets: some devices print them."""

    devices: list[DeviceAnswer]


Result = FunctionBlockResult[ShowOnGroupResult]
MOST_NAMED: Final = 20


@fb_test_case_with_lab(
    "asks every device of the group, and tells whom it could not ask",
    ShowOnGroupParams(commands=["show clock", "show version"], parse=True),
    run_on="group",
    base_device_groups=[{"id": 5, "name": "core", "devices": [{"id": 2}, {"id": 1}, {"id": 77}]}],
    remote_lab_fixture="simple_iol",
    succeeds=False,
    assertions=[
        lambda result: [each.name for each in result.data.devices] == ["r2", "r1", "device 77"],
        lambda result: [len(each.outputs) for each in result.data.devices] == [2, 2, 0],
        lambda result: result.message == "2 of 3 devices answered; failed: device 77 (not_in_context)",
    ],
)
@register_function_block(
    Registration(
        package="neops_base",
        name="show_on_group",
        version=(1, 0, 0),
        description="Runs show commands on every device of a group over SSH",
        markdown_helptext="Runs up to 20 commands that only read on all devices of the group, 16 at a time. Returns "
        "one answer for each device; the message names those that failed. Acquire the group's devices in the workflow.",
        run_on="group",
        fb_type="facts",
        param_cls=ShowOnGroupParams,
        result_cls=ShowOnGroupResult,
        is_pure=True,
        is_idempotent=True,
    )
)
class ShowOnGroup(FunctionBlock[ShowOnGroupParams, ShowOnGroupResult]):
    """Runs show commands on every device of a group. A device that fails does not disturb the others."""

    async def acquire(self, params: AcquireParams[ShowOnGroupParams]) -> FunctionBlockAcquireResult:
        """Ask for the devices of the run."""
        devices = EntityAcquireContext(entity="device", filter="[]", description="The devices of the group")
        return FunctionBlockAcquireResult(success=True, message="Acquired the devices", acquires=[devices])

    async def run(self, params: ShowOnGroupParams, context: WorkflowContext) -> Result:
        """Return one answer for each device."""
        devices, absent = devices_of_group(context)
        outputs: dict[int, list[CommandOutput]] = {device.id: [] for device in devices}

        async def show(device: DeviceEntity) -> None:
            await self._show(params, device, outputs[device.id])

        outcomes = await for_each_device(
            devices, show, limit=params.at_a_time, timeout=params.device_timeout_seconds
        )
        answers = [answer_of(outcome, outputs[outcome.device.id]) for outcome in outcomes]
        answers += [not_in_context(device_id) for device_id in absent]
        return result_of(answers, params.succeeds_with)

    async def _show(
        self, params: ShowOnGroupParams, device: DeviceEntity, outputs: list[CommandOutput]
    ) -> None:
        connection = params.connect(device, Execution, max_output_bytes=params.max_output_bytes)
        refuse_bare_shell(connection)
        async with connection:
            for command in params.commands:
                answer = await connection.send_command(
                    as_sent(command), timeout=params.read_timeout_seconds, parse=params.parse
                )
                outputs.append(_output_of(command, answer))


def _output_of(command: str, answer: Answer) -> CommandOutput:
    return CommandOutput(
        command=command,
        output=answer.output,
        rejected=answer.is_refused,
        is_cut=answer.is_cut,
        parsed=answer.parsed,
    )


def devices_of_group(context: WorkflowContext) -> tuple[list[DeviceEntity], list[int]]:
    """Return the group's devices that are in the context, and the ids of those that are not.

    If the group does not say which devices it has, all devices of the context count as its devices.
    """
    group = context.device_group
    if group is None or group.devices is None:
        return list({device.id: device for device in context.devices}.values()), []
    there = {device.id: device for device in context.devices}
    # Each device once, even if the group names it twice: otherwise its two answers would be mixed up.
    ids = list(dict.fromkeys(reference.id for reference in group.devices if reference.id is not None))
    return [there[each] for each in ids if each in there], [each for each in ids if each not in there]


def answer_of(outcome: DeviceOutcome[DeviceEntity, None], outputs: list[CommandOutput]) -> DeviceAnswer:
    """Return what became of one device. A device that refused a command has failed."""
    refused = [repr(output.command) for output in outputs if output.rejected]
    cause, message = outcome.cause, outcome.message
    if outcome.succeeded and refused:
        cause, message = "refused", f"{outcome.name} did not understand {', '.join(refused)}."
    return DeviceAnswer(
        device_id=outcome.device.id,
        name=outcome.name,
        succeeded=cause is None,
        cause=cause,
        retryable=outcome.retryable,
        message=message,
        outputs=outputs,
    )


def not_in_context(device_id: int) -> DeviceAnswer:
    """Return the answer for a device of the group that the workflow has not acquired."""
    message = "The job's context does not hold it. Acquire the devices of the group in the workflow."
    return DeviceAnswer(
        device_id=device_id,
        name=f"device {device_id}",
        succeeded=False,
        cause="not_in_context",
        message=message,
        outputs=[],
    )


def result_of(answers: list[DeviceAnswer], succeeds_with: Literal["all", "any"]) -> Result:
    """Return the result of all devices: which have failed, and whether the job has therefore failed."""
    data = ShowOnGroupResult(devices=answers)
    failed = [answer for answer in answers if not answer.succeeded]
    good = len(answers) - len(failed)
    if not answers:
        message = "The group has no devices. Acquire the devices of the group in the workflow."
        return Result(success=False, message=message, data=data, retryable=False)
    message = f"{good} of {len(answers)} devices answered"
    if not failed:
        return Result(success=True, message=message, data=data)
    named = ", ".join(f"{answer.name} ({answer.cause})" for answer in failed[:MOST_NAMED])
    more = f" and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
    message += f"; failed: {named}{more}"
    if succeeds_with == "any" and good:
        return Result(success=True, message=message, data=data)
    return Result(
        success=False, message=message, data=data, retryable=any(answer.retryable for answer in failed)
    )
