"""Base classes for what a block takes and what it returns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FunctionBlockParams(BaseModel):
    """Base of a block's parameters.

    Keys the model does not know are ignored, with one warning that lists their names: an older block must go
    on working when a workflow sends more. Validation errors never show the input.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class FunctionBlockResultData(BaseModel):
    """Base of a block's result data. Unknown keys are refused: the engine knows the schema and checks it."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
