"""What the registrations of all misbehaving blocks have in common."""

from pydantic import Field

from sdk import FunctionBlockParams, FunctionBlockResultData, Registration

__neops_named_only__ = True


class NoParams(FunctionBlockParams):
    """Nothing to choose."""


class NoData(FunctionBlockResultData):
    """No data."""


class Seconds(FunctionBlockParams):
    """How long."""

    seconds: float = Field(default=3600, ge=0, description="Duration in seconds")


def misbehaving(
    name: str,
    description: str,
    param_cls: type[FunctionBlockParams] = NoParams,
    result_cls: type[FunctionBlockResultData] = NoData,
    *,
    run_on: str = "global",
) -> Registration:
    """Return the registration `neops_testing/<name>:1.0.0`.

    It is neither pure nor idempotent, so no engine repeats it by itself.
    """
    return Registration(
        package="neops_testing",
        name=name,
        description=description,
        markdown_helptext=f"For tests: {description[0].lower()}{description[1:]}",
        run_on=run_on,
        fb_type="execute",
        param_cls=param_cls,
        result_cls=result_cls,
    )
