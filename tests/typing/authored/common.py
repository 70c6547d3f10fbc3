"""What the other modules here declare their blocks with."""

from sdk import FunctionBlockParams, FunctionBlockResultData, Registration


class Params(FunctionBlockParams):
    host: str
    retries: int = 3


class Data(FunctionBlockResultData):
    version: str


class OtherData(FunctionBlockResultData):
    other: int


def registration(name: str) -> Registration:
    return Registration(
        name=name,
        package="typed",
        description="",
        run_on="device",
        fb_type="check",
        param_cls=Params,
        result_cls=Data,
        max_seconds=5,
        max_memory_mb=64,
    )
