"""`acquire` and `rollback`."""

from typing import Any, assert_type

from common import Data, Params

from sdk import (
    AcquireParams,
    EntityAcquireByElasticQuery,
    EntityAcquireContext,
    FunctionBlock,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockRollbackResult,
    WorkflowContext,
)


class Right(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        return FunctionBlockResult(success=True, message="ok")

    async def acquire(self, params: AcquireParams[Params]) -> FunctionBlockAcquireResult:
        assert_type(params.partial, Params)
        assert_type(params.unresolved, frozenset[str])
        assert_type(params.raw, dict[str, Any])
        params.partial.unknown  # expect: mypy[attr-defined] basedpyright[reportAttributeAccessIssue]
        items = [
            EntityAcquireContext(entity="device", filter="[]", assert_not_empty=True),
            EntityAcquireByElasticQuery(entity="interface", query="name:Gi*", limit=5),
        ]
        return FunctionBlockAcquireResult(success=True, message="ok", acquires=items)

    async def rollback(
        self,
        params: Params,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[Data] | None = None,
    ) -> FunctionBlockRollbackResult:
        if result_from_failed is not None:
            assert_type(result_from_failed.data, Data | None)
        return FunctionBlockRollbackResult(success=True, message="ok")


class WithPlainParams(Right):
    async def acquire(  # expect: basedpyright[reportIncompatibleMethodOverride]
        self,
        params: Params,  # expect: mypy[override]
    ) -> FunctionBlockAcquireResult:
        return FunctionBlockAcquireResult(success=True, message="ok")


class WithResultOfRun(Right):
    async def acquire(self, params: AcquireParams[Params]) -> FunctionBlockAcquireResult:
        return FunctionBlockResult(  # expect: mypy[return-value] basedpyright[reportReturnType]
            success=True, message="ok"
        )

    async def rollback(
        self,
        params: Params,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[Data] | None = None,
    ) -> FunctionBlockRollbackResult:
        return FunctionBlockAcquireResult(  # expect: mypy[return-value] basedpyright[reportReturnType]
            success=True, message="ok"
        )


def wrong_items() -> None:
    EntityAcquireContext(
        entity="router",  # expect: mypy[arg-type] basedpyright[reportArgumentType]
        filter="[]",
    )
    EntityAcquireContext(entity="device")  # expect: mypy[call-arg] basedpyright[reportCallIssue]
