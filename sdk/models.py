"""Base classes for what a block takes and what it returns."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class FunctionBlockParams(BaseModel):
    """Base class of a block's parameters: a pydantic model. The engine gets its JSON schema.

    If a job's parameters do not fit, the job fails before the block is called. The message has the path and the reason
    of each problem, never a value. Blank strings count as absent. Keys that the model does not know are ignored, with
    one warning that lists their names: an older block must still work when a workflow sends more. Defaults are applied
    here, and the schema is sent without them. Mark secrets with `SENSITIVE`.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)
    __test__: ClassVar[bool] = False  # for pytest, which would take `TestbedParams` for a class of tests


class FunctionBlockResultData(BaseModel):
    """Base class of a block's result data: a pydantic model. The engine gets its JSON schema.

    Unknown keys raise pydantic's `ValidationError`: the engine knows the schema and checks it.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    __test__: ClassVar[bool] = False  # as above
