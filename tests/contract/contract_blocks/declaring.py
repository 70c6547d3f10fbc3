"""What the blocks of the conformance tests have in common."""

from typing import Any

from pydantic import Field

from sdk import FunctionBlockParams, FunctionBlockResultData, Registration


class NoParams(FunctionBlockParams):
    """Nothing to choose."""


class NoData(FunctionBlockResultData):
    """Nothing to tell."""


class ChoiceParams(FunctionBlockParams):
    """One word that decides what happens."""

    choice: str = Field(default="", description="What to do")


def contract_block(name: str, params: type[FunctionBlockParams] = NoParams, **more: Any) -> Registration:
    """Return the registration of `contract/<name>:1.0.0`."""
    result = more.pop("result_cls", NoData)
    return Registration(
        package="contract",
        name=name,
        description=f"For the conformance tests: {name}",
        run_on=more.pop("run_on", "global"),
        fb_type="execute",
        param_cls=params,
        result_cls=result,
        **more,
    )
