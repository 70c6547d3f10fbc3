"""What the architecture of neops's own SDK prints for authors of blocks works as printed: by its names and by ours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sdk.testing import EngineThread, SupervisorProcess

pytest_plugins = ["pytester"]

Snippets = Callable[[str], pytest.Pytester]

PYTEST_INI = """
[pytest]
testpaths = examples
python_files = *.py
asyncio_mode = strict
asyncio_default_fixture_loop_scope = function
"""

NAMES = {
    "sdk": """
from sdk import *
from sdk.testing import create_workflow_context, fb_test_case, fb_test_case_with_lab
from sdk.concurrency import run_in_thread, run_parallel
""",
    "neops_worker_sdk": """
from neops_worker_sdk.concurrency import run_in_thread, run_parallel
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData,
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration
from neops_worker_sdk.testing.base.function_block_test_case import fb_test_case, fb_test_case_with_lab
from neops_worker_sdk.testing.factories.context_factory import create_workflow_context
from neops_worker_sdk.workflow.workflow_context import WorkflowContext
""",
}

BLOCK = """
import asyncio, time
import pytest
from pydantic import ConfigDict
{names}

class EchoParameters(FunctionBlockParams):
    model_config = ConfigDict(extra="ignore")
    text: str = ""

class EchoResult(FunctionBlockResultData):
    model_config = ConfigDict(extra="forbid")
    text: str

{cases}
@register_function_block(Registration(name="echo", description="d", package="acme", run_on="{run_on}",
    fb_type="none", param_cls=EchoParameters, result_cls=EchoResult))
class Echo(FunctionBlock[EchoParameters, EchoResult]):
{methods}
    async def run(self, params: EchoParameters, context: WorkflowContext) -> FunctionBlockResult[EchoResult]:
        {body}
        return FunctionBlockResult(success=True, message="Done", data=EchoResult(text=params.text))
{after}
"""

EXAMPLES_FIRST = pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)


@pytest.fixture
def written(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.Pytester]:
    """Write a module of examples with one block, beside the configuration that the page has."""

    def write(names: str, **parts: str) -> pytest.Pytester:
        given = {"cases": "", "methods": "", "body": "", "after": "", "run_on": "global"} | parts
        pytester.makeini(PYTEST_INI)
        folder = pytester.mkdir("examples")
        (folder / "echo_example.py").write_text(BLOCK.format(names=names, **given))
        return pytester

    return write


def ran(pytester: pytest.Pytester, *arguments: str, **outcomes: int) -> pytest.RunResult:
    without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")  # imported by each run, used or not
    done = pytester.runpytest_subprocess(*without, "-W", "error", *arguments)
    done.assert_outcomes(**outcomes)
    return done


FB_TEST_CASE = """
@fb_test_case(
    "Echo test",
    EchoParameters(text="hello"),
    context=create_workflow_context(devices=[{"id": 1, "hostname": "r1"}]),
)
"""

FB_TEST_CASE_WITH_LAB = """
@pytest.fixture
def simple_iol():
    return [{"name": "r1", "raw": {"ansible_host": "127.0.0.1"}}]

@fb_test_case_with_lab(
    "Ping IOL device",
    EchoParameters(text="hello"),
    remote_lab_fixture="simple_iol",
)
"""


@EXAMPLES_FIRST
def test_a_case_needs_no_more_than_devices_and_the_markers_select_it(
    names: str, written: Callable[..., pytest.Pytester]
) -> None:
    author = written(names, cases=FB_TEST_CASE, after="def test_quick(): pass\n")
    cases = ran(author, "-v", "-m", "function_block and asyncio", passed=1, deselected=1)
    cases.stdout.no_fnmatch_line("*::test_quick*")
    others = ran(author, "-v", "-m", "not function_block and not asyncio", passed=1, deselected=1)
    others.stdout.fnmatch_lines(["*::test_quick PASSED*"])


@EXAMPLES_FIRST
def test_a_case_with_a_lab_that_expects_nothing_more_passes_where_the_job_succeeds(
    names: str, written: Callable[..., pytest.Pytester]
) -> None:
    ran(written(names, cases=FB_TEST_CASE_WITH_LAB, run_on="device"), passed=1)


def test_a_case_with_a_lab_that_expects_nothing_more_fails_where_the_job_fails(
    written: Callable[..., pytest.Pytester],
) -> None:
    author = written(
        NAMES["sdk"],
        cases=FB_TEST_CASE_WITH_LAB,
        run_on="device",
        body='return FunctionBlockResult(success=False, message="no")',
    )
    ran(author, failed=1)


IN_THREADS = """
    @run_in_thread
    def fetch_config(self, ip: str) -> str:
        time.sleep(0.01)
        return f"Result from {ip}"
"""
IN_PARALLEL = """
        configs = await run_parallel(
            self.fetch_config("10.0.0.1"),
            self.fetch_config("10.0.0.2"),
            self.fetch_config("10.0.0.3"),
        )
        assert configs == [f"Result from 10.0.0.{number}" for number in (1, 2, 3)]
        assert await blocking_operation("10.0.0.1") == "Result from 10.0.0.1"
"""
BLOCKING_OPERATION = """
@run_in_thread
def blocking_operation(ip: str) -> str:
    # This blocking code runs in a separate thread
    time.sleep(0.01)
    return f"Result from {ip}"

block = Echo()

@pytest.mark.asyncio
async def test_echo_returns_same_text() -> None:
    result = await block.execute_function_block(params=EchoParameters(text="hello"), context=create_workflow_context())
    assert result.success
    assert result.data.text == "hello"
"""


@EXAMPLES_FIRST
def test_operations_run_in_parallel_and_a_block_is_tested_as_a_coroutine(
    names: str, written: Callable[..., pytest.Pytester]
) -> None:
    ran(written(names, methods=IN_THREADS, body=IN_PARALLEL, after=BLOCKING_OPERATION), passed=1)


def test_a_block_without_models_of_its_own_can_be_written(written: Callable[..., pytest.Pytester]) -> None:
    bare = """
class MyFunctionBlock(FunctionBlock):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="Done")

@pytest.mark.asyncio
async def test_it():
    result = await MyFunctionBlock().execute_function_block(FunctionBlockParams(), create_workflow_context())
    assert result.success, result.message
"""
    ran(written(NAMES["neops_worker_sdk"], after=bare), passed=1)


CONFIG = """
import sdk
from neops_worker_sdk.config import Config, POLL_INTERVAL

class Seen(sdk.FunctionBlockResultData):
    poll: int
    same: int
    name: str | None
    url: str | None

@sdk.register_function_block(sdk.Registration(name="config", description="d", package="acme", run_on="global",
    fb_type="none", param_cls=sdk.FunctionBlockParams, result_cls=Seen))
class ShowsConfig(sdk.FunctionBlock[sdk.FunctionBlockParams, Seen]):
    async def run(self, params, context):
        seen = Seen(poll=Config.poll_interval, same=POLL_INTERVAL, name=Config().worker_name, url=Config.url_blackboard)
        return sdk.FunctionBlockResult(success=True, message="", data=seen)
"""


def test_config_inside_a_block_shows_the_values_of_the_worker(
    dev_engine: EngineThread, tmp_path: Path
) -> None:
    (tmp_path / "config_block.py").write_text(CONFIG)
    settings = {
        "function_blocks": [tmp_path],
        "poll_seconds": 3,
        "worker_name": "mine",
        "engine_token_file": dev_engine.token_file,
    }
    with SupervisorProcess(dev_engine.url, tmp_path / "state", settings):
        job = dev_engine.wait_for_result(dev_engine.submit("acme/config:1.0.0", {}))
    assert job.result is not None
    assert job.result["result"]["data"] == {"poll": 3, "same": 3, "name": "mine", "url": dev_engine.url}
