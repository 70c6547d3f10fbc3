"""The base classes of a block, its parameters and its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from sdk.acquire_params import AcquireParams
from sdk.block import FunctionBlock as _FunctionBlock
from sdk.compat.client import client_class
from sdk.compat.migration_hints import refusing
from sdk.job_reader import JobReader
from sdk.models import FunctionBlockParams, FunctionBlockResultData
from sdk.results import (
    BaseFunctionBlockResult,
    FunctionBlockAcquireResult,
    FunctionBlockResult,
    FunctionBlockRollbackResult,
)

from ..logger.adapters import logger_for
from ..logger.base import BaseLogger
from .job_reader import AliasReader

if TYPE_CHECKING:
    from sdk.context import WorkflowContext
    from sdk.logger import LoggerLike
    from sdk.registration import Registration

ParamsT = TypeVar("ParamsT", bound=FunctionBlockParams)
ResultDataT = TypeVar("ResultDataT", bound=FunctionBlockResultData)

EntityAcquireByElasticQuery = client_class("EntityAcquireByElasticQuery")
EntityAcquireContext = client_class("EntityAcquireContext")
EntityAcquire = (
    EntityAcquireByElasticQuery
    | EntityAcquireContext
    | client_class("EntityAcquireByExpansion")
    | client_class("EntityAcquireReference")
)


class FunctionBlock(_FunctionBlock[ParamsT, ResultDataT], Generic[ParamsT, ResultDataT]):
    """`sdk.FunctionBlock`, with the additional names that blocks of the other SDK use."""

    job_reader: ClassVar[JobReader] = AliasReader()

    def __init__(self, logger: LoggerLike | BaseLogger | None = None) -> None:
        super().__init__()
        self.logger = logger_for(self, logger)

    async def rollback(
        self,
        params: ParamsT,
        context: WorkflowContext,
        result_from_failed: FunctionBlockResult[ResultDataT] | None = None,
    ) -> FunctionBlockRollbackResult:
        """Fail. It exists so that a block without a rollback can be registered even if it is declared reversible."""
        return FunctionBlockRollbackResult(success=False, message="Rollback not implemented")

    def parse_parameters_from_dto(self, dto: dict[str, Any], param_cls: type[ParamsT]) -> ParamsT:
        """An instance of `param_cls`. Raises `ParameterError`, which says what does not fit."""
        parsed: ParamsT = self.job_reader.parameters(param_cls, dto, self.logger.warning)
        return parsed

    def parse_acquire_parameters_from_dto(
        self, dto: dict[str, Any], registration: Registration
    ) -> AcquireParams[ParamsT]:
        """The readable part of parameters that are not complete yet."""
        return self.job_reader.acquire_parameters(registration.param_cls, dto, self.logger.warning)


__all__ = [
    "BaseFunctionBlockResult",
    "EntityAcquire",
    "EntityAcquireByElasticQuery",
    "EntityAcquireContext",
    "FunctionBlock",
    "FunctionBlockAcquireResult",
    "FunctionBlockParams",
    "FunctionBlockResult",
    "FunctionBlockResultData",
    "FunctionBlockRollbackResult",
    "ParamsT",
    "ResultDataT",
]

__getattr__ = refusing(__name__)
