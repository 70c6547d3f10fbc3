"""The plugins of an installed package: there before a block that talks to devices, and a failure of theirs is told."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.programs.compat.processes import ROOT

BLOCK = """
from sdk import FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration
from sdk import register_function_block
{imports}

@register_function_block(Registration(
    name="x", package="acme", description="A block", run_on="global", fb_type="execute",
    param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData,
))
class Block(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def run(self, params, context):
        {body}
        return FunctionBlockResult(success=True, message=str(plugins))
"""
OF_THE_MODULE = "from neops_worker_sdk.connection.registry import plugins"
IN_RUN = "from neops_worker_sdk.connection.registry import plugins"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An installed package with one plugin, as far as it is needed here."""
    texts = {
        "__init__": "",
        "registry": "from types import SimpleNamespace\nregistry = SimpleNamespace(function_blocks={})\n",
        "connection/__init__": "from .registry import plugins\n",
        "connection/registry": "plugins = []\n",
        "connection/plugins/__init__": "from ..registry import plugins\nplugins.append('ios')\nprint('loaded')\n",
    }
    for name, text in texts.items():
        file = tmp_path / "site" / "neops_worker_sdk" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "site"


def supervisor(package: Path, *arguments: str) -> tuple[Any, str]:
    """Run a command of the worker beside the package. Return the JSON that it prints, and its log."""
    done = subprocess.run(
        [sys.executable, "-m", "supervisor", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{package}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(
    ("imports", "body"), [(OF_THE_MODULE, "pass"), ("", IN_RUN)], ids=["at import", "in run"]
)
def test_the_plugins_are_there_for_a_block_that_talks_to_devices(
    tmp_path: Path, package: Path, imports: str, body: str
) -> None:
    (tmp_path / "block.py").write_text(BLOCK.format(imports=imports, body=body))
    outcome, _ = supervisor(
        package, "run-block", "acme/x", "--json", "--function-blocks", str(tmp_path / "block.py")
    )
    assert (outcome["success"], outcome["message"]) == (True, "['ios']")


def test_blocks_without_devices_do_not_load_them(tmp_path: Path, package: Path) -> None:
    text = BLOCK.format(
        imports="import neops_worker_sdk.registry", body="plugins = sorted(__import__('sys').modules)"
    )
    (tmp_path / "block.py").write_text(text)
    outcome, log = supervisor(
        package, "run-block", "acme/x", "--json", "--function-blocks", str(tmp_path / "block.py")
    )
    assert "neops_worker_sdk.registry" in outcome["message"]
    assert "neops_worker_sdk.connection" not in outcome["message"]
    assert "loaded" not in log


def test_plugins_that_can_not_be_imported_are_a_problem_and_harm_no_block(
    tmp_path: Path, package: Path
) -> None:
    (package / "neops_worker_sdk" / "connection" / "plugins" / "__init__.py").write_text(
        "import scrapli_is_not_here"
    )
    (tmp_path / "block.py").write_text(BLOCK.format(imports=OF_THE_MODULE, body="pass"))
    found, _ = supervisor(package, "blocks", "--json", "--function-blocks", str(tmp_path / "block.py"))
    assert [block["id"] for block in found["blocks"]] == ["acme/x:1.0.0"]
    (problem,) = found["problems"]
    assert "neops_worker_sdk.connection.plugins" in problem["message"]
    assert "scrapli_is_not_here" in problem["message"]
    assert "Install neops_worker_sdk again" in problem["message"]
