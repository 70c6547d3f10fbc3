"""Decorators leave a block's class what it was."""

from typing import assert_type

from common import Data, OtherData, Params, registration

from sdk import FunctionBlock, FunctionBlockResult, Registration, WorkflowContext, register_function_block
from sdk.testing import create_workflow_context, fb_test_case


@fb_test_case(
    "greets",
    Params(host="r1"),
    create_workflow_context("device", 1),
    expected_result_data=Data(version="1"),
    assertions=[lambda result: result.success],
    max_seconds=5,
)
@register_function_block(registration("decorated"))
class Decorated(FunctionBlock[Params, Data]):
    extra = 5

    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        self.logger.with_context(host=params.host).info("seen %s", params.host)
        return FunctionBlockResult(success=True, message="ok")


assert_type(Decorated(), Decorated)
assert_type(Decorated.extra, int)
assert_type(Decorated.registration, Registration | None)


@register_function_block(registration("no_block"))  # expect: basedpyright[reportArgumentType]
class NoBlock:  # expect: mypy[type-var]
    pass


@fb_test_case("no block", {}, None)  # expect: basedpyright[reportArgumentType]
class NeitherABlock:  # expect: mypy[type-var]
    pass


@register_function_block("typed/decorated")  # expect: mypy[arg-type] basedpyright[reportArgumentType]
class NotRegistered(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
        return FunctionBlockResult(success=True, message="ok")


fb_test_case(  # expect: mypy[call-arg]
    "unknown setting",
    {},
    None,
    max_minutes=5,  # expect: basedpyright[reportCallIssue]
)
fb_test_case("no context", {})  # expect: mypy[call-arg] basedpyright[reportCallIssue]


async def use(context: WorkflowContext) -> OtherData | None:
    result = await Decorated().execute_function_block(Params(host="r1"), context)
    return result.data  # expect: mypy[return-value] basedpyright[reportReturnType]
