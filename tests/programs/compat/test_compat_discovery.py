"""Discovery of such blocks: what is missing is named where the author imports it, and harms only its module."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.processes import BLOCKS, ROOT

STAND_IN = Path(__file__).parent / "stand_in"
BLOCK = """
from neops_worker_sdk.function_block.function_block import (
    FunctionBlock, FunctionBlockAcquireResult, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData
)
from neops_worker_sdk.registry.decorator import register_function_block
from neops_worker_sdk.registry.registration import Registration

@register_function_block(Registration(
    name="{name}", package="acme", description="A block", run_on="global", fb_type="execute",
    param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData,
))
class Block(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def acquire(self, params):
        return FunctionBlockAcquireResult(success=True, message="Nothing")

    async def run(self, params, context):
        return {result}
"""
RESULT = 'FunctionBlockResult(success=True, message="Done", data=FunctionBlockResultData())'
PLUGIN = """import os
from neops_worker_sdk.connection.plugins.ios import CiscoIOSScrapliPlugin
class Mine(CiscoIOSScrapliPlugin): ...
"""
MODES = pytest.mark.parametrize("paths", [(ROOT,), (ROOT, STAND_IN)], ids=["alias", "installed"])


def supervisor(paths: tuple[Path, ...], *arguments: str) -> Any:
    """Run a command of the worker and return the JSON that it prints."""
    return json.loads(printed(paths, *arguments).stdout)


def printed(paths: tuple[Path, ...], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the worker to its end."""
    return subprocess.run(
        [sys.executable, "-m", "supervisor", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module", params=[(ROOT,), (ROOT, STAND_IN)], ids=["alias", "installed"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is found in the set, beside modules that are bad in one way each."""
    directory = tmp_path_factory.mktemp("bad")
    (directory / "half.py").write_text(
        BLOCK.format(name="half", result=RESULT) + "\nraise RuntimeError('half')\n"
    )
    (directory / "bad_id.py").write_text(BLOCK.format(name="with blank", result=RESULT))
    (directory / "uses_a_plugin.py").write_text(PLUGIN)
    (directory / "fine.py").write_text(BLOCK.format(name="fine", result=RESULT))
    found = supervisor(request.param, "blocks", "--json", "--function-blocks", f"{BLOCKS},{directory}")
    return {**found, "by_alias": STAND_IN not in request.param}


def problem_of(found: Any, name: str) -> Any:
    (problem,) = [each for each in found["problems"] if each["module"].endswith(f".{name}")]
    return problem


def test_all_blocks_of_the_set_are_found_with_their_schemas(found: Any) -> None:
    listed = {block["id"]: block for block in found["blocks"]}
    assert len([each for each in listed if each.startswith("compat/")]) == 31
    assert "fb.use-cases.compat/greet-by-name:1.0.0" in listed
    read = listed["compat/read:1.0.0"]
    assert (read["is_pure"], read["is_idempotent"], read["run_on"]) == (True, True, "global")
    assert sorted(read["parameter_schema"]["properties"]) == ["count", "note", "site", "speed", "vlans"]
    assert listed["compat/return_result:2.1.3"]["help_text"].startswith("`kind` is")


def test_what_is_not_covered_is_named_at_the_author_s_line(found: Any) -> None:
    problem = problem_of(found, "uses_a_plugin")
    assert Path(problem["file"]).name == "uses_a_plugin.py"
    assert problem["line"] == 2
    assert "neops_worker_sdk.connection.plugins.ios" in problem["message"]
    way_out = "register a ConnectionPlugin of your own"
    assert (way_out in problem["message"]) == found["by_alias"]


def test_a_bad_module_harms_no_other(found: Any) -> None:
    own = [block["id"] for block in found["blocks"] if block["id"].startswith("acme/")]
    assert own == ["acme/fine:1.0.0"]
    assert {each["module"].split(".")[-1] for each in found["problems"]} == {
        "half",
        "bad_id",
        "uses_a_plugin",
    }
    assert "RuntimeError: half" in problem_of(found, "half")["message"]


def test_an_id_that_no_engine_takes_is_a_problem_of_its_block(found: Any) -> None:
    problem = problem_of(found, "bad_id")
    assert "'with blank' is not valid in a block id" in problem["message"]
    assert Path(problem["file"]).name == "bad_id.py"
    assert problem["line"] > 1


@MODES
def test_a_block_that_returns_no_result_has_failed_and_is_told(
    tmp_path: Path, paths: tuple[Path, ...]
) -> None:
    (tmp_path / "none.py").write_text(BLOCK.format(name="none", result="None"))
    outcome = supervisor(
        paths, "run-block", "acme/none", "--json", "--function-blocks", str(tmp_path), "--params", "{}"
    )
    assert outcome["success"] is False
    assert "returned nothing (None)" in outcome["message"]


def test_a_run_that_takes_meta_gets_it(tmp_path: Path) -> None:
    text = BLOCK.format(name="meta", result=RESULT.replace('"Done"', "meta.block_id"))
    (tmp_path / "meta.py").write_text(text.replace("params, context):", "params, context, meta):"))
    outcome = supervisor(
        (ROOT,), "run-block", "acme/meta", "--json", "--function-blocks", str(tmp_path), "--params", "{}"
    )
    assert outcome["message"] == "acme/meta:1.0.0"


@MODES
def test_a_forgotten_await_is_in_the_warning_beside_the_result_with_its_line(
    tmp_path: Path, paths: tuple[Path, ...]
) -> None:
    text = BLOCK.format(name="forgets", result=f"self.acquire(params) and {RESULT}")
    (tmp_path / "forgets.py").write_text(text)
    outcome = supervisor(
        paths, "run-block", "acme/forgets", "--json", "--function-blocks", str(tmp_path), "--params", "{}"
    )
    assert outcome["success"] is True
    assert f"Line 17 of {tmp_path}/forgets.py calls " in outcome["warning"]
    assert "acquire() without await" in outcome["warning"]


@MODES
def test_a_field_that_is_marked_as_secret_is_in_no_message_and_no_log(
    tmp_path: Path, paths: tuple[Path, ...]
) -> None:
    text = BLOCK.format(name="secretive", result="self.logger.info(params.walnut) or int(params.walnut)")
    marked = (
        "from typing import Annotated\nfrom neops_worker_sdk.logger.redaction import SENSITIVE\n"
        "class Params(FunctionBlockParams):\n    walnut: Annotated[str, SENSITIVE]\n\n@register"
    )
    text = text.replace("@register", marked, 1).replace("param_cls=FunctionBlockParams", "param_cls=Params")
    (tmp_path / "secretive.py").write_text(text)
    parameters = '{"walnut": "not-for-the-log"}'
    outcome = supervisor(
        paths,
        "run-block",
        "acme/secretive",
        "--json",
        "--function-blocks",
        str(tmp_path),
        "--params",
        parameters,
    )
    assert "raised ValueError" in outcome["message"]
    assert "not-for-the-log" not in outcome["message"]
    assert "***" in outcome["message"]


@MODES
def test_the_traceback_of_what_a_block_raises_is_in_its_log_with_the_author_s_line(
    tmp_path: Path, paths: tuple[Path, ...]
) -> None:
    (tmp_path / "raises.py").write_text(BLOCK.format(name="raises", result="{}['{0} of %s racks']"))
    done = printed(
        paths, "run-block", "acme/raises", "--json", "--function-blocks", str(tmp_path), "--params", "{}"
    )
    assert "The traceback is in the job's log" in json.loads(done.stdout)["message"]
    assert "Traceback (most recent call last):" in done.stderr
    assert f'File "{tmp_path}/raises.py", line 17, in run' in done.stderr
    assert "%s\n%s" not in done.stderr
