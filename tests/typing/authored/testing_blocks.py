"""`block_runner` and what it returns."""

from typing import Any, assert_type

from common import Data, Params
from running import Right

from sdk import WorkflowContext
from sdk.testing import BlockOutcome, BlockRunner, LogLine, create_workflow_context


def test_it(block_runner: BlockRunner) -> None:
    context = create_workflow_context("device", 1, devices=[{"id": 1}])
    assert_type(context, WorkflowContext)
    outcome = block_runner.run(Right, Params(host="r1"), context, max_seconds=5, job_type="execute")
    assert_type(outcome, BlockOutcome)
    assert_type(outcome.data, dict[str, Any] | None)
    assert_type(outcome.db_updates, list[dict[str, Any]] | None)
    assert_type(outcome.logs, tuple[LogLine, ...])
    assert_type(outcome.cause, str)
    block_runner.run("typed/decorated", {"host": "r1"}, source="blocks")
    block_runner.run(Right, Data(version="1"))  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    block_runner.run(Params)  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    block_runner.run(Right, job_type="undo")  # expect: mypy[arg-type] basedpyright[reportArgumentType]
    block_runner.run(Right, max_minutes=5)  # expect: mypy[call-arg] basedpyright[reportCallIssue]
    outcome.data["version"]  # expect: mypy[index] basedpyright[reportOptionalSubscript]
    outcome.success = True  # expect: mypy[misc] basedpyright[reportAttributeAccessIssue]


async def test_async(block_runner: BlockRunner) -> None:
    assert_type(await block_runner.run_async(Right), BlockOutcome)
