"""`in_process`: the same outcome, in the process of the tests, where breakpoints work."""

import logging
import os
from pathlib import Path

import pytest
from author_project import INI
from harness_support import block_module

from blocks.echo import Echo, EchoParams
from sdk import (
    DeviceEntity,
    FunctionBlock,
    FunctionBlockParams,
    FunctionBlockResult,
    FunctionBlockResultData,
    Registration,
    WorkflowContext,
    register_function_block,
)
from sdk.testing import BlockNotFoundError, BlockRunner, create_workflow_context
from tests.patience import PATIENCE_SECONDS

pytest_plugins = ["pytester"]


class HereParams(FunctionBlockParams):
    do: str


class HereData(FunctionBlockResultData):
    pid: int


@register_function_block(
    Registration(
        package="acme",
        name="here",
        description="Tells where it runs",
        run_on="device",
        fb_type="none",
        param_cls=HereParams,
        result_cls=HereData,
    )
)
class Here(FunctionBlock[HereParams, HereData]):
    async def run(self, params: HereParams, context: WorkflowContext) -> FunctionBlockResult[HereData]:
        device = context.device
        assert device is not None
        self.logger.warning("the password is %s", device.password)
        if params.do == "raise":
            raise RuntimeError("no luck")
        if params.do == "fail":
            return FunctionBlockResult(success=False, message="No")
        device.vendor = "Emu"
        return FunctionBlockResult(success=True, message="Done", data=HereData(pid=os.getpid()))


def devices() -> WorkflowContext:
    return create_workflow_context("device", devices=[DeviceEntity(id=7, password="open-sesame-1")])


def test_it_runs_here_to_the_outcome_that_a_child_would_have(block_runner: BlockRunner) -> None:
    context = devices()
    outcome = block_runner.run(Here, {"do": "work"}, context, in_process=True)
    outcome.assert_succeeded({"pid": os.getpid()}).assert_logged("the password is ***", level="WARNING")
    assert outcome.updates_of(7) == {"vendor": "Emu"}
    assert context.device is not None
    assert context.device.vendor is None
    child = block_runner.run(Here, {"do": "work"}, context)
    assert child.data != outcome.data
    assert child.db_updates == outcome.db_updates


@pytest.mark.parametrize("do", ["raise", "fail", "unheard of"])
def test_causes_are_those_of_a_child(block_runner: BlockRunner, do: str) -> None:
    params = {"do": do} if do != "unheard of" else {"do": 5}
    here = block_runner.run(Here, params, devices(), in_process=True)
    child = block_runner.run(Here, params, devices())
    assert (here.cause, here.success, here.retryable) == (child.cause, child.success, child.retryable)
    assert here.message.splitlines()[0] in child.message
    assert "event loop" not in here.report()
    assert f"cause: {here.cause} (no exit code, " in here.report()


async def test_it_runs_where_a_loop_runs_already(block_runner: BlockRunner) -> None:
    block_runner.run(Echo, EchoParams(text="x"), in_process=True).assert_succeeded({"text": "x"})
    outcome = await block_runner.run_async(Echo, EchoParams(text="x"), in_process=True)
    outcome.assert_succeeded({"text": "x"})


async def test_where_a_loop_runs_already_an_error_of_the_harness_is_raised_as_it_is(
    block_runner: BlockRunner,
) -> None:
    with pytest.raises(BlockNotFoundError, match="import its module"):
        block_runner.run("acme/elsewhere:1.0.0", in_process=True)


@pytest.mark.parametrize("do", ["work", "raise"])
def test_the_log_is_as_it_was_before_when_a_block_has_run_here(block_runner: BlockRunner, do: str) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    assert root.level != logging.DEBUG
    outcome = block_runner.run(Here, {"do": do}, devices(), in_process=True, log_level="debug")
    assert next(line.level for line in outcome.logs) == logging.WARNING
    assert (root.level, root.handlers) == before


def test_acquire_and_rollback_run_here_as_well(block_runner: BlockRunner) -> None:
    block_runner.acquire(Echo, {"text": "x"}, in_process=True).assert_acquired()
    block_runner.rollback(Echo, {"text": "x"}, in_process=True).assert_failed("Rollback not implemented")


def test_an_id_works_for_what_was_imported_and_else_says_what_to_do(block_runner: BlockRunner) -> None:
    assert block_runner.run("acme/here:1.0.0", {"do": "work"}, devices(), in_process=True).success
    with pytest.raises(BlockNotFoundError, match="import its module"):
        block_runner.run("acme/elsewhere:1.0.0", in_process=True)


def test_one_option_brings_all_cases_into_the_process_of_the_tests(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    case = '@fb_test_case("here", Params(), None, assertions=[lambda r: r.data.text == str(os.getpid())])'
    pytester.makepyfile(optional=block_module("optional", "return ok(str(os.getpid()))", cases=case))
    pytester.runpytest_subprocess("--blocks-in-process").assert_outcomes(passed=1)
    pytester.runpytest_subprocess().assert_outcomes(failed=1)


def test_a_breakpoint_in_a_case_of_its_own_stops_in_the_block(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    case = '@fb_test_case("stops", Params(), None, in_process=True)'
    pytester.makepyfile(stops=block_module("stops", "seen = 6 * 7\nbreakpoint()\nreturn ok()", cases=case))
    commands = Path(pytester.path, "commands")
    commands.write_text("p seen\nc\n")
    with commands.open("rb") as stdin:
        done = pytester.popen(
            [os.sys.executable, "-m", "pytest"], stdin=stdin, env={**os.environ, "PYTHONBREAKPOINT": ""}
        )
    out, _ = done.communicate(timeout=PATIENCE_SECONDS)
    assert b"(Pdb) 42" in out
    assert b"1 passed" in out
