"""A block's `run`: parameters, result and data have the types of the class statement."""

from typing import assert_type

from common import Data, OtherData, Params

from sdk import FunctionBlock, FunctionBlockResult, JobMeta, WorkflowContext


class Right(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        assert_type(params.retries, int)
        if params.retries == 0:
            return FunctionBlockResult(success=False, message="no tries", retryable=False)
        return FunctionBlockResult(success=True, message="ok", data=Data(version=params.host))


class WithMeta(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext, meta: JobMeta) -> FunctionBlockResult[Data]:
        assert_type(meta.remaining_seconds(), float | None)
        assert_type(meta.job_id, str)
        return FunctionBlockResult(success=True, message=meta.job_id)


class WrongData(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        return FunctionBlockResult(  # expect: basedpyright[reportReturnType]
            success=True,
            message="ok",
            data=OtherData(other=1),  # expect: mypy[arg-type]
        )


class NoResult(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        return None  # expect: mypy[return-value] basedpyright[reportReturnType]


class BareData(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        return Data(version="1")  # expect: mypy[return-value] basedpyright[reportReturnType]


# pyright does not compare the parameters of a method that overrides one with *args; when the block is registered,
# the worker refuses NoContext.
class NoContext(FunctionBlock[Params, Data]):
    async def run(self, params: Params) -> FunctionBlockResult[Data]:  # expect: mypy[override]
        return FunctionBlockResult(success=True, message="ok")


class OtherParams(FunctionBlock[Params, Data]):
    async def run(  # expect: mypy[override]
        self, params: Data, context: WorkflowContext
    ) -> FunctionBlockResult[Data]:
        return FunctionBlockResult(success=True, message=params.version)


class OtherResult(FunctionBlock[Params, Data]):
    async def run(  # expect: mypy[override] basedpyright[reportIncompatibleMethodOverride]
        self, params: Params, context: WorkflowContext
    ) -> FunctionBlockResult[OtherData]:
        return FunctionBlockResult(success=True, message="ok", data=OtherData(other=1))


class NotAsync(FunctionBlock[Params, Data]):
    def run(  # expect: mypy[override] basedpyright[reportIncompatibleMethodOverride]
        self, params: Params, context: WorkflowContext
    ) -> FunctionBlockResult[Data]:
        return FunctionBlockResult(success=True, message="ok")


class NoModel(FunctionBlock[str, Data]):  # expect: mypy[type-var] basedpyright[reportInvalidTypeArguments]
    pass


async def use(context: WorkflowContext) -> None:
    params = Params(host="r1")
    result = await Right().execute_function_block(params, context)
    assert_type(result, FunctionBlockResult[Data])
    assert_type(result.data, Data | None)
    assert_type(result.success, bool)
    assert_type(result.retryable, bool | None)
    assert (await WithMeta().execute_function_block(params, context)).success
    result.data.version  # expect: mypy[union-attr] basedpyright[reportOptionalMemberAccess]
    await Right().execute_function_block(
        Data(version="1"),  # expect: mypy[arg-type] basedpyright[reportArgumentType]
        context,
    )
    params.unknown  # expect: mypy[attr-defined] basedpyright[reportAttributeAccessIssue]
    Params()  # expect: mypy[call-arg] basedpyright[reportCallIssue]
    Params(host=5)  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    FunctionBlockResult[Data](success=True)  # expect: mypy[call-arg] basedpyright[reportCallIssue]
    NoModel()  # expect: mypy[abstract] basedpyright[reportAbstractUsage]
