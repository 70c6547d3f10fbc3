"""Checked by the type checkers, and run as well: what authors write must be inferred and accepted."""

from typing import Annotated, assert_type

from sdk import (
    SENSITIVE,
    AcquireParams,
    Device,
    DeviceEntity,
    DeviceField,
    EntityAcquireContext,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    FunctionBlockRollbackResult,
    JobMeta,
    Platform,
    Registration,
    WorkflowContext,
)


class Params(FunctionBlockParams):
    text: str
    pin: Annotated[str, SENSITIVE] = ""


class Result(FunctionBlockResultData):
    text: str


REGISTRATION = Registration(
    name="typed",
    description="",
    package="tests",
    run_on="device",
    fb_type="check",
    param_cls=Params,
    result_cls=Result,
    max_seconds=5,
    max_memory_mb=64,
)


class WithoutMeta(FunctionBlock[Params, Result]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Result]:
        if context.device is None:
            return FunctionBlockResult(success=False, message="no device")
        assert_type(context.device, DeviceEntity)
        context.devices.append(
            Device(
                hostname="x",
                platform=Platform(short_name="ios"),
                skip_if_identifier_exists=True,
                identifier_fields=[DeviceField.hostname],
            )
        )
        self.logger.with_context(device=context.device.hostname).info("seen")
        return FunctionBlockResult(success=True, message="ok", data=Result(text=params.text))

    async def acquire(self, params: AcquireParams[Params]) -> FunctionBlockAcquireResult:
        assert_type(params.partial, Params)
        item = EntityAcquireContext(entity="device", filter="[]", assert_not_empty=True)
        return FunctionBlockAcquireResult(success=True, message="ok", acquires=[item])

    async def rollback(
        self,
        params: Params,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[Result] | None = None,
    ) -> FunctionBlockRollbackResult:
        return FunctionBlockRollbackResult(success=True, message="ok")


class WithMeta(FunctionBlock[Params, Result]):
    async def run(
        self, params: Params, context: WorkflowContext, meta: JobMeta
    ) -> FunctionBlockResult[Result]:
        assert_type(meta.remaining_seconds(), float | None)
        return FunctionBlockResult(success=True, message=meta.job_id, data=Result(text=params.text))


async def use() -> None:
    context = WorkflowContext({"devices": [DeviceEntity(id=1)]}, "device", 1)
    result = await WithoutMeta().execute_function_block(Params(text="a"), context)
    assert_type(result, FunctionBlockResult[Result])
    assert_type(result.data, Result | None)
    assert result.data is not None
    assert (await WithMeta().execute_function_block(Params(text="a"), context)).success
