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
    """For a person: what came of it. Over 16 000 characters it is cut; secrets of the job in it are masked."""

    success: bool
    """Whether it worked. The changes to the context's entities are sent only if it did."""

    _raised: bool = PrivateAttr(default=False)
    _refused: bool = PrivateAttr(default=False)


class FunctionBlockResult(BaseFunctionBlockResult, Generic[ResultT]):
    """The result of `run`.

    Raises pydantic's `ValidationError` where it is made with anything else, such as a dict for `data`.
    """

    data: ResultT | None = None
    """An instance of the block's result class. It is sent as JSON: dates in ISO 8601, sets as arrays, addresses, UUIDs,
    paths and decimals as text. NaN, circles and what JSON has no form for fail the job, with their place.

    Bytes are sent as text where they are UTF-8, else as base64, and who reads the result can't tell which: have a
    `str` field instead, and encode what is no text yourself (`base64.b64encode(raw).decode()`)."""

    retryable: bool | None = None
    """False tells an engine (from 0.43 on) that the same job would fail again; None leaves it to its own rule."""

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
    """The result of `acquire`."""

    # Any, because blocks written for the generated client hand in its classes, which we can't name here.
    acquires: list[Any] | None = None
    """`EntityAcquireByElasticQuery` and `EntityAcquireContext` items, or None for nothing."""


class FunctionBlockRollbackResult(BaseFunctionBlockResult):
    """The result of `rollback`: whether all is as it was before `run`."""


AnyResultT = TypeVar("AnyResultT", bound=BaseFunctionBlockResult)


def mark_raised(result: AnyResultT) -> AnyResultT:
    """Mark a failure as made of an exception that the author's code raised. No part of what is sent or dumped."""
    result._raised = True
    return result


def was_raised(result: BaseFunctionBlockResult) -> bool:
    """Whether the result stands for an exception of the author's code, not for a failure that it returned."""
    return result._raised


def mark_refused(result: AnyResultT) -> AnyResultT:
    """Mark a failure as made by the SDK, of what it can't accept from the block. As `mark_raised`, never sent."""
    result._refused = True
    return result


def was_refused(result: BaseFunctionBlockResult) -> bool:
    """Whether the result stands for something that the SDK has refused, and would refuse again."""
    return result._refused
