"""Modules with blocks for the tests of the harness, written as an author would write them; and who lives still."""

import textwrap

import psutil

_MODULE = """
import asyncio, os, sys, time
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration, WorkflowContext,
    register_function_block,
)
from sdk.testing import create_workflow_context, fb_test_case

class Params(FunctionBlockParams):
    text: str = "nothing"

class Data(FunctionBlockResultData):
    text: str

def ok(text="fine"):
    return FunctionBlockResult(success=True, message="Done", data=Data(text=text))

{cases}
@register_function_block(Registration(
    package="acme", name="{name}", description="A block of a test", run_on="{run_on}", fb_type="none",
    param_cls=Params, result_cls=Data, {registration}
))
class Sample(FunctionBlock[Params, Data]):
    async def run(self, params: Params, context: WorkflowContext) -> FunctionBlockResult[Data]:
{body}
"""


def block_module(
    name: str,
    body: str = "return ok(params.text)",
    *,
    cases: str = "",
    run_on: str = "global",
    registration: str = "",
) -> str:
    """Return the source of a module with the block `acme/<name>:1.0.0`.

    Names must differ between tests: a nested pytest run in this process shares the registry of blocks with it.
    """
    return _MODULE.format(
        name=name,
        cases=textwrap.dedent(cases).strip(),
        body=textwrap.indent(textwrap.dedent(body).strip(), " " * 8),
        run_on=run_on,
        registration=registration,
    )


def is_alive(pid: int) -> bool:
    """Whether it runs: where pid 1 waits for nobody, what has ended stays a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
