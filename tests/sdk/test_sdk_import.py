"""What importing the SDK costs and brings along."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import sdk
from tests.patience import PATIENCE_SECONDS

Probe = Callable[[str], dict[str, Any]]

PROBE = """
import json, sys, time
started = time.process_time()
{statement}
seconds = time.process_time() - started
print(json.dumps({{"seconds": seconds, "modules": sorted(sys.modules)}}))
"""

WHAT_ANY_BLOCK_NEEDS = """
import asyncio
from pydantic import BaseModel, SecretStr
class Model(BaseModel):
    text: str
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Probe:
    # With bytecode, wherever the tests run and whatever is set there: it is what production has.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("bytecode"))

    def run(statement: str) -> dict[str, Any]:
        command = [sys.executable, "-c", PROBE.format(statement=statement)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
        )
        return json.loads(done.stdout)

    return run


def test_importing_the_sdk_loads_no_client_no_http_and_no_test_code(probe: Probe) -> None:
    modules = set(probe("import sdk")["modules"])
    unwanted = {"neops_workflow_engine_client", "aiohttp", "sqlite3", "netmiko", "psutil", "pytest"}
    assert modules.isdisjoint(unwanted)
    assert not {name for name in modules if name.startswith(("sdk.devengine", "sdk.testing"))}


def test_importing_the_sdk_takes_a_tenth_of_a_second_beside_pydantic_and_asyncio(probe: Probe) -> None:
    # CPU time, the best of three, and against what can't be avoided: others may use the machine.
    needed = min(probe(WHAT_ANY_BLOCK_NEEDS)["seconds"] for _ in range(3))
    assert min(probe("import sdk")["seconds"] for _ in range(3)) - needed < 0.1


def test_every_name_an_author_needs_is_public() -> None:
    needed = """
        FunctionBlock FunctionBlockParams FunctionBlockResultData FunctionBlockResult
        FunctionBlockAcquireResult FunctionBlockRollbackResult Registration register_function_block registry
        WorkflowContext AcquireParams JobMeta SENSITIVE SdkError
        Device Interface DeviceGroup Platform DeviceReference DeviceField
        InterfaceField GroupField EntityAcquireByElasticQuery EntityAcquireContext
    """
    assert set(needed.split()) <= set(sdk.__all__)
    assert [name for name in sdk.__all__ if not hasattr(sdk, name)] == []
