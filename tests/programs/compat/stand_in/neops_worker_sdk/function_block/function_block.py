"""Blocks and their results."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from neops_workflow_engine_client import (  # noqa: F401  # as there: blocks import them from here
    EntityAcquireByElasticQuery,
    EntityAcquireContext,
)
from pydantic import BaseModel, ConfigDict

from sdk.parsing import parse_leniently

from ..logger import logger_for
from ..workflow.workflow_context import WorkflowContext  # noqa: F401
from .acquire_params import AcquireParams


class FunctionBlockParams(BaseModel):
    model_config = ConfigDict(extra="ignore")


class FunctionBlockResultData(BaseModel):
    model_config = ConfigDict(extra="forbid")


ParamsT = TypeVar("ParamsT", bound=BaseModel)
ResultDataT = TypeVar("ResultDataT", bound=BaseModel)


class BaseFunctionBlockResult(BaseModel):
    message: str
    success: bool


class FunctionBlockResult(BaseFunctionBlockResult, Generic[ResultDataT]):
    data: ResultDataT | None = None


class FunctionBlockAcquireResult(BaseFunctionBlockResult):
    acquires: list[Any] | None = None


class FunctionBlockRollbackResult(BaseFunctionBlockResult):
    pass


class FunctionBlock(ABC, Generic[ParamsT, ResultDataT]):
    def __init__(self, logger=None):
        self.logger = logger_for(self, logger)

    @abstractmethod
    async def run(self, params, context): ...

    @abstractmethod
    async def acquire(self, params): ...

    async def rollback(self, params, context, result_from_failed=None):
        return FunctionBlockRollbackResult(message="Rollback not implemented", success=False)

    async def execute_function_block(self, params, context, *, propagate_exceptions=False):
        try:
            return await self.run(params, context)
        except Exception as error:
            if propagate_exceptions:
                raise
            return FunctionBlockResult(message=f"Error executing function block: {error}", success=False)

    def parse_parameters_from_dto(self, dto, param_cls):
        return param_cls.model_validate(dto)

    def parse_acquire_parameters_from_dto(self, dto, registration):
        model = registration.param_cls
        partial, reasons = parse_leniently(model, dto, blanks_are_absent=False)
        unresolved = {
            name for name in reasons if dto.get(name) is not None or model.model_fields[name].is_required()
        }
        return AcquireParams(partial, frozenset(unresolved), dto)
