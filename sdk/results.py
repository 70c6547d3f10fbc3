"""The three results a block can return."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidatorFunctionWrapHandler, field_validator
from pydantic_core import PydanticCustomError, ValidationError

from sdk.models import FunctionBlockResultData

ResultT = TypeVar("ResultT", bound=FunctionBlockResultData)

NOT_RESULT_DATA = "sdk_not_result_data"


class BaseFunctionBlockResult(BaseModel):
    """What all results say: whether it worked, and a message for a person."""

    model_config = ConfigDict(hide_input_in_errors=True)

    message: str
    success: bool
    _raised: bool = PrivateAttr(default=False)
    _refused: bool = PrivateAttr(default=False)


class FunctionBlockResult(BaseFunctionBlockResult, Generic[ResultT]):
    """The result of ``run``.

    ``data`` is an instance of the block's result class. ``retryable=False`` tells an engine (from 0.43 on)
    that the same job would fail again; None leaves it to the engine's own rule.
    """

    data: ResultT | None = None
    retryable: bool | None = None

    @field_validator("data", mode="wrap")
    @classmethod
    def _say_what_data_must_be(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        # Without a type argument pydantic would hold a dict against the empty base class and complain
        # of each of its keys, which tells nobody what is wrong.
        try:
            return handler(value)
        except ValidationError:
            if cls is not FunctionBlockResult:
                raise
            raise PydanticCustomError(
                NOT_RESULT_DATA,
                "must be an instance of the block's result class, not {found}",
                {"found": type(value).__name__},
            ) from None


class FunctionBlockAcquireResult(BaseFunctionBlockResult):
    """The result of ``acquire``: items of ``sdk.acquire``, or None for nothing."""

    # Any, because blocks written for the generated client hand in its classes, which we can't name here.
    acquires: list[Any] | None = None


class FunctionBlockRollbackResult(BaseFunctionBlockResult):
    """The result of ``rollback``."""


AnyResultT = TypeVar("AnyResultT", bound=BaseFunctionBlockResult)


def mark_raised(result: AnyResultT) -> AnyResultT:
    """Mark a failure as made of an exception that the author's code raised. No part of what is sent or dumped."""
    result._raised = True
    return result


def was_raised(result: BaseFunctionBlockResult) -> bool:
    """Whether the result stands for an exception of the author's code, not for a failure that it returned."""
    return result._raised


def mark_refused(result: AnyResultT) -> AnyResultT:
    """Mark a failure as made by the SDK, of what it can't accept from the block. As ``mark_raised``, never sent."""
    result._refused = True
    return result


def was_refused(result: BaseFunctionBlockResult) -> bool:
    """Whether the result stands for something that the SDK has refused, and would refuse again."""
    return result._refused
