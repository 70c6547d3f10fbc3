"""Base classes for what a block takes and what it returns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FunctionBlockParams(BaseModel):
    """Base of a block's parameters: a pydantic model, whose JSON schema the engine gets.

    A job whose parameters do not fit fails with the path and the reason of each problem, never with a value, before
    the block is called. Blank strings count as absent. Keys the model does not know are ignored, with one warning that
    lists their names: an older block must go on working when a workflow sends more. Defaults are applied here: the
    schema is sent without them. Mark secrets with `SENSITIVE`.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class FunctionBlockResultData(BaseModel):
    """Base of a block's result data: a pydantic model, whose JSON schema the engine gets.

    Unknown keys are refused with pydantic's `ValidationError`: the engine knows the schema and checks it.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
