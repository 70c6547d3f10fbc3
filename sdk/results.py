"""The three results a block can return."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidatorFunctionWrapHandler, field_validator
from pydantic_core import PydanticCustomError, ValidationError

from sdk.models import FunctionBlockResultData

ResultT = TypeVar("ResultT", bound=FunctionBlockResultData)

NOT_RESULT_DATA = "sdk_not_result_data"


class BaseFunctionBlockResult(BaseModel):
    """The common part of all results: whether it worked, and a message for a person."""

    model_config = ConfigDict(hide_input_in_errors=True)

    message: str
    """What came of it, for a person. Over 16 000 characters it is cut. Secrets of the job in it are masked."""

    success: bool
    """Whether it worked. The changes to the context's entities are sent only if it did."""

    _raised: bool = PrivateAttr(default=False)
    _refused: bool = PrivateAttr(default=False)


class FunctionBlockResult(BaseFunctionBlockResult, Generic[ResultT]):
    """The result of `run`.

    Raises pydantic's `ValidationError` if it is made with anything else, such as a dict for `data`.
    """

    data: ResultT | None = None
    """An instance of the block's result class. It is sent as JSON: dates in ISO 8601, sets as arrays, addresses, UUIDs,
    paths and decimals as text. NaN, circles and values that JSON can't hold fail the job, and the error names the
    place.

    Bytes are sent as text if they are UTF-8, otherwise as base64, and the reader can't tell which. Use a `str` field
    instead, and encode bytes that are not text yourself (`base64.b64encode(raw).decode()`)."""

    retryable: bool | None = None
    """False tells an engine (from 0.43 on) that the same job would fail again. With None, its own rule decides."""

    @field_validator("data", mode="wrap")
    @classmethod
    def _say_what_data_must_be(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        # Without a type argument, pydantic would compare a dict with the empty base class and complain
        # about each of its keys. That would not show what is wrong.
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
    """The result of `acquire`."""

    # Any, because blocks for the generated client pass its classes, and we can't name these here.
    acquires: list[Any] | None = None
    """`EntityAcquireByElasticQuery` and `EntityAcquireContext` items, or None for nothing."""


class FunctionBlockRollbackResult(BaseFunctionBlockResult):
    """The result of `rollback`: whether everything is as it was before `run`."""


AnyResultT = TypeVar("AnyResultT", bound=BaseFunctionBlockResult)


def mark_raised(result: AnyResultT) -> AnyResultT:
    """Mark a failure as made from an exception of the author's code. The mark is never sent or dumped."""
    result._raised = True
    return result


def was_raised(result: BaseFunctionBlockResult) -> bool:
    """Whether the result stands for an exception of the author's code, not for a failure that the code returned."""
    return result._raised


def mark_refused(result: AnyResultT) -> AnyResultT:
    """Mark a failure as made by the SDK, which can't accept something from the block. The mark is never sent either."""
    result._refused = True
    return result


def was_refused(result: BaseFunctionBlockResult) -> bool:
    """Whether the result stands for something that the SDK has refused, and would refuse again."""
    return result._refused
