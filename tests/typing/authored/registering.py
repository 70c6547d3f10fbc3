"""A registration takes nothing that it would refuse at run time, as far as types can say."""

from typing import assert_type

from common import Data, Params

from sdk import Registration

RIGHT = Registration(
    name="a",
    description="",
    package="typed",
    run_on="device",
    fb_type="check",
    param_cls=Params,
    result_cls=Data,
    version=(1, 2, 3),
    markdown_helptext="Help",
    is_pure=True,
    max_seconds=0.5,
)
assert_type(RIGHT.identifier, str)
assert_type(RIGHT.version, tuple[int, int, int])
assert_type(RIGHT.max_seconds, float | None)

R = Registration
R("a", "", "p", "device", "check", int, Data)  # expect: mypy[arg-type] basedpyright[reportArgumentType]
R("a", "", "p", "device", "check", Data, Data)  # expect: mypy[arg-type] basedpyright[reportArgumentType]
R("a", "", "p", "device", "check", Params, Params)  # expect: mypy[arg-type] basedpyright[reportArgumentType]
R(
    "a",
    "",
    "p",
    "device",
    "check",
    Params,
    Data,
    version=(1,),  # expect: mypy[arg-type] basedpyright[reportArgumentType]
)
R(  # expect: mypy[call-arg]
    "a",
    "",
    "p",
    "device",
    "check",
    Params,
    Data,
    seconds=5,  # expect: basedpyright[reportCallIssue]
)
R(
    "a",
    "",
    "p",
    "device",
    "check",
    Params,
    Data,
    max_seconds="5",  # expect: mypy[arg-type] basedpyright[reportArgumentType]
)
R("a", "", "p", "device", "check", Params)  # expect: mypy[call-arg] basedpyright[reportCallIssue]
