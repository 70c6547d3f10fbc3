"""`neops_base/configure`: shows a change of a device's configuration, makes it, and takes it back if it fails."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from blocks.devices.configuration_template import TemplateFailedError, check
from blocks.devices.configure_request import ConfigureParams
from sdk import (
    AcquireParams,
    DeviceEntity,
    EntityAcquireContext,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockResultData,
    FunctionBlockRollbackResult,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.connection import (
    Cause,
    Change,
    Configuration,
    Connection,
    DeviceError,
    LinesError,
    Plan,
    restore,
    rollback_source,
    sessions_per_device,
    without_secrets,
)
from sdk.testing import fb_test_case_with_lab


class ConfigureResult(FunctionBlockResultData):
    """What was planned, or what was done. Passwords and keys in lines are hidden if the words around them show them."""

    changed: bool = Field(description="Whether the configuration of the device is another one now")
    diff: str = Field(description="Unified diff: of a dry run what should change, else what has changed")
    commands: list[str] = Field(description="The lines that were sent, or would be, each with its section")
    not_shown: list[str] = Field(
        default=[],
        description="Lines that the device took and does not show: a rollback can't take them back",
    )
    stayed: list[str] = Field(default=[], description="Lines that were to go, and that the device still has")
    unforeseen: list[str] = Field(default=[], description="What changed besides, `+` and `-`")
    rollback_source: str | None = Field(default=None, description="What a rollback would restore")
    saved: bool = False


Result = FunctionBlockResult[ConfigureResult]
Rollback = FunctionBlockRollbackResult

_ONE_SESSION: Final = (
    "Nothing was sent. With `confirm_seconds` a new login has to succeed beside the session that makes the change, and "
    "this worker may have one session on a device (--sessions-per-device 1). Raise it to 2, or leave out "
    "`confirm_seconds`."
)


@fb_test_case_with_lab(
    "shows what would change, and changes nothing",
    lambda lab: ConfigureParams(
        port=lab[0].port,
        template="interface GigabitEthernet0/2\n description {{ purpose }} of {{ device.hostname }}\n",
        variables={"purpose": "uplink"},
        dry_run=True,
    ),
    remote_lab_fixture="simple_iol",
    assertions=[
        lambda result: not result.data.changed,
        lambda result: "+ description uplink of" in result.data.diff,
        lambda result: result.data.commands[0].startswith(
            "interface GigabitEthernet0/2 / description uplink"
        ),
    ],
)
@fb_test_case_with_lab(
    "names the line of a template that uses an unknown variable",
    lambda lab: ConfigureParams(port=lab[0].port, template="hostname x\nntp server {{ ntp }}\n"),
    remote_lab_fixture="simple_iol",
    succeeds=False,
    assertions=[lambda result: "Line 2 of the template" in result.message and result.retryable is False],
)
@fb_test_case_with_lab(
    "names the refused line, and leaves the device as it was",
    lambda lab: ConfigureParams(
        port=lab[0].port,
        lines=["interface GigabitEthernet0/2", " description new", " frobnicate 7"],
        require_rollback=False,
    ),
    remote_lab_fixture="simple_iol",
    succeeds=False,
    assertions=[
        lambda result: "interface GigabitEthernet0/2 / frobnicate 7" in result.message,
        lambda result: "Its configuration is as it was before" in result.message,
    ],
)
@register_function_block(
    Registration(
        package="neops_base",
        name="configure",
        version=(1, 0, 0),
        description="Changes the configuration of a device, and takes the change back where a line is refused",
        markdown_helptext="Sends `lines`, or those of a Jinja `template`. `dry_run` only shows the difference. The "
        "first refused line undoes all. With `confirm_seconds` the device undoes by itself what cuts it off; "
        "that takes a second session on the device.",
        run_on="device",
        fb_type="configure",
        param_cls=ConfigureParams,
        result_cls=ConfigureResult,
        is_idempotent=True,
        reversible=True,
    )
)
class Configure(FunctionBlock[ConfigureParams, ConfigureResult]):
    """Changes the configuration of a device. It does not send lines that the device has already."""

    async def acquire(self, params: AcquireParams[ConfigureParams]) -> FunctionBlockAcquireResult:
        """Lock the devices of the run: a device can't tell two changes apart that are made at the same time."""
        if isinstance(params.partial.template, str):
            try:
                check(params.partial.template)
            except TemplateFailedError as error:
                return FunctionBlockAcquireResult(success=False, message=str(error))
        devices = EntityAcquireContext(
            entity="device", filter="[]", assert_not_empty=True, description="The devices to configure"
        )
        return FunctionBlockAcquireResult(success=True, message="The devices of the run", acquires=[devices])

    async def run(self, params: ConfigureParams, context: WorkflowContext) -> Result:
        """Send the lines. A failed result says which of them are in force."""
        device = context.device
        assert device is not None  # registered to run on a device
        try:
            lines = params.lines_for(device)
            async with params.connect(device, Configuration) as connection:
                plan = await connection.plan(lines, timeout=params.read_timeout_seconds)
                if params.dry_run or plan.is_empty:
                    return await self._without_change(params, device, connection, plan)
                return await self._changed(params, device, connection, plan)
        except (TemplateFailedError, LinesError) as error:
            return Result(success=False, message=str(error), retryable=False)
        except DeviceError as error:
            message = str(error)
            if error.cause == Cause.NOTHING_TO_RESTORE:
                message += (
                    ' To change it without the possibility of a rollback, give "require_rollback": false.'
                )
            return Result(success=False, message=message, retryable=error.retryable)

    async def rollback(
        self, params: ConfigureParams, context: WorkflowContext, result_from_failed: Result | None = None
    ) -> Rollback:
        """Take out what the lines did. All of them, some or none may be in force."""
        device = context.device
        assert device is not None  # registered to run on a device
        if params.dry_run:
            return Rollback(success=True, message="It was a dry run: there is nothing to take back")
        try:
            return await self._taken_back(params, device)
        except (TemplateFailedError, LinesError):
            return Rollback(success=True, message="The lines can't be sent, so they never were")
        except DeviceError as error:
            return Rollback(success=False, message=str(error))

    async def _taken_back(self, params: ConfigureParams, device: DeviceEntity) -> Rollback:
        lines = params.lines_for(device)
        async with params.connect(device, Configuration) as connection:
            done = await restore(connection, device, lines=lines, timeout=params.change_timeout_seconds)
            if params.save and done.is_complete:
                await connection.save_config(timeout=params.read_timeout_seconds)
        return Rollback(success=done.is_complete, message=str(done))

    async def _without_change(
        self, params: ConfigureParams, device: DeviceEntity, connection: Connection, plan: Plan
    ) -> Result:
        data = ConfigureResult(
            changed=False, diff=without_secrets(plan.diff), commands=_texts(plan.commands), saved=False
        )
        if params.dry_run:
            count = len(plan.commands)
            return Result(success=True, message=f"Dry run: {count} lines would be sent", data=data)
        if params.save:
            await connection.save_config(timeout=params.read_timeout_seconds)
            data.saved = True
        device.current_configuration = plan.configuration
        return Result(success=True, message="The device holds all the lines already", data=data)

    async def _changed(
        self, params: ConfigureParams, device: DeviceEntity, connection: Connection, plan: Plan
    ) -> Result:
        if params.confirm_seconds is not None and sessions_per_device() == 1:
            return Result(success=False, message=_ONE_SESSION, retryable=False)
        source = None
        if params.require_rollback:
            source = await rollback_source(
                connection, device, plan, will_save=params.save, timeout=params.read_timeout_seconds
            )
        change = await connection.apply(
            plan, timeout=params.change_timeout_seconds, confirm_seconds=params.confirm_seconds
        )
        if params.confirm_seconds is not None:
            failed = await self._confirm(params, device, change)
            if failed is not None:
                return failed
        data = ConfigureResult(
            changed=bool(change.diff),
            diff=without_secrets(change.diff),
            commands=_texts(change.applied),
            not_shown=_texts(change.not_shown),
            stayed=_texts(change.stayed),
            unforeseen=[without_secrets(line) for line in change.unforeseen],
            rollback_source=source,
        )
        if params.save:
            try:
                await connection.save_config(timeout=params.read_timeout_seconds)
            except DeviceError as error:
                count = len(data.commands)
                message = f"The change ({count} lines) is in force, but it could not be saved: {error}"
                return Result(success=False, message=message, data=data, retryable=error.retryable)
            data.saved = True
        device.last_configuration, device.current_configuration = plan.configuration, change.configuration
        return Result(success=True, message=_message(data), data=data)

    async def _confirm(self, params: ConfigureParams, device: DeviceEntity, change: Change) -> Result | None:
        """Confirm a change only after a new login: the old session may still work when no new login does.

        Returns what went wrong, and what has become of the change.
        """
        try:
            async with params.connect(device, Configuration):
                pass
        except DeviceError as error:
            return await self._unproven(params, change, error)
        try:
            await change.confirm(timeout=params.read_timeout_seconds)
        except DeviceError as error:
            message = f"The change was made, and not confirmed. {change.timer} {error}"
            if error.cause in (Cause.CONFIRMED_TOO_LATE, Cause.REFUSED_COMMAND):
                message = str(error)  # the error itself says what has become of the change
            return Result(success=False, message=message, retryable=False)
        return None

    async def _unproven(self, params: ConfigureParams, change: Change, error: DeviceError) -> Result:
        """Take a change back because no new login worked. The device is to blame unless it was never asked for one."""
        was_asked = error.cause != Cause.SESSIONS_TAKEN
        refused = f"After the change no new login was possible: {error}"
        if not was_asked:
            refused = f"The change could not be confirmed, as no session was free for the new login: {error}"
        try:
            restoration = await change.undo(timeout=params.change_timeout_seconds)
        except DeviceError as again:
            assert change.timer is not None
            left = f"It could not be taken back: {again} {change.timer}"
            if again.cause == Cause.NOT_RESTORED:  # the error itself says what is left
                left = str(again)
            return Result(success=False, message=f"{refused} {left}", retryable=False)
        message = f"{refused} The change was taken back. {restoration}"
        return Result(success=False, message=message, retryable=not was_asked)


def _texts(lines: tuple[object, ...]) -> list[str]:
    return [without_secrets(str(line)) for line in lines]


def _message(data: ConfigureResult) -> str:
    message = f"{len(data.commands)} lines sent"
    if data.not_shown:
        message += f". The device does not show what came of {len(data.not_shown)} of them: {'; '.join(data.not_shown)}"
    if data.stayed:
        message += f". {len(data.stayed)} line(s) were to go, and the device still has them: {'; '.join(data.stayed)}"
    if data.unforeseen:
        message += f". {len(data.unforeseen)} further lines changed"
    return message + (". Saved" if data.saved else "")
