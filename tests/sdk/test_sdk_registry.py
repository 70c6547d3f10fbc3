"""Declaring blocks with the decorator."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk_support import registration

from sdk import FunctionBlock, FunctionBlockResult, WorkflowContext, register_function_block, registry
from sdk.errors import DuplicateBlockError, RegistrationError


@pytest.fixture(autouse=True)
def empty_registry() -> Iterator[None]:
    blocks, conflicts = dict(registry.function_blocks), list(registry.conflicts)
    registry.function_blocks.clear()
    registry.conflicts.clear()
    yield
    registry.function_blocks.clear()
    registry.conflicts.clear()
    registry.function_blocks.update(blocks)
    registry.conflicts.extend(conflicts)


class Plain(FunctionBlock[Any, Any]):
    async def run(self, params: Any, context: WorkflowContext) -> FunctionBlockResult[Any]:
        return FunctionBlockResult(success=True, message="ok")


SOURCE = """
from typing import Any
from sdk import *

class Params(FunctionBlockParams):
    pass

class Result(FunctionBlockResultData):
    pass

@register_function_block(
    Registration(name="loaded", description="", package="tests", run_on="global", fb_type="none",
                 param_cls=Params, result_cls=Result)
)
class Loaded(FunctionBlock[Params, Result]):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="ok")
"""


def load(path: Path, name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]


def test_the_decorator_returns_the_class_and_registers_it_with_its_place() -> None:
    facts = registration()
    assert register_function_block(facts)(Plain) is Plain
    block = registry.function_blocks["tests/sample:1.0.0"]
    assert (block.cls, block.registration, block.module) == (Plain, facts, __name__)
    assert Path(block.file).samefile(__file__)
    assert block.line > 0
    assert Plain.registration is facts


def test_two_classes_with_one_id_are_an_error_and_the_first_stays(tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(SOURCE)
    second.write_text(SOURCE)
    load(first, "first")
    with pytest.raises(DuplicateBlockError) as caught:
        load(second, "second")
    assert registry.function_blocks["tests/loaded:1.0.0"].file == str(first)
    (conflict,) = registry.conflicts
    assert (conflict.identifier, conflict.kept.file, conflict.refused.file) == (
        "tests/loaded:1.0.0",
        str(first),
        str(second),
    )
    assert f"{first}:11" in str(caught.value)
    assert f"{second}:11" in str(caught.value)


def test_importing_a_clashing_module_again_does_not_list_the_conflict_twice(tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(SOURCE)
    second.write_text(SOURCE)
    load(first, "first")
    for _ in range(2):
        with pytest.raises(DuplicateBlockError):
            load(second, "second")
    assert len(registry.conflicts) == 1


def test_importing_the_same_module_again_replaces_its_block(tmp_path: Path) -> None:
    path = tmp_path / "first.py"
    path.write_text(SOURCE)
    load(path, "first")
    before = registry.function_blocks["tests/loaded:1.0.0"].cls
    load(path, "first_once_more")
    after = registry.function_blocks["tests/loaded:1.0.0"].cls
    assert after is not before
    assert registry.conflicts == []


def test_two_versions_of_a_block_live_side_by_side() -> None:
    register_function_block(registration(version=(1, 0, 0)))(Plain)

    class Newer(Plain):
        pass

    register_function_block(registration(version=(2, 0, 0)))(Newer)
    assert sorted(registry.function_blocks) == ["tests/sample:1.0.0", "tests/sample:2.0.0"]


def refused(cls: Any, **changes: Any) -> RegistrationError:
    with pytest.raises(RegistrationError) as caught:
        register_function_block(registration(**changes))(cls)
    assert registry.function_blocks == {}
    return caught.value


def test_a_class_that_is_no_block_is_refused() -> None:
    assert "FunctionBlock" in refused(int).what


def test_a_block_without_run_is_refused() -> None:
    class NoRun(FunctionBlock[Any, Any]):
        pass

    assert refused(NoRun).what == "it has no run"


def test_a_run_that_can_not_be_called_is_refused() -> None:
    class OnlyParams(FunctionBlock[Any, Any]):
        async def run(self, params):
            return None

    assert "run(self, params) can't be called" in refused(OnlyParams).what


def test_a_constructor_that_takes_no_logger_is_refused() -> None:
    class NoLogger(Plain):
        def __init__(self) -> None:
            super().__init__()

    assert "constructor" in refused(NoLogger).what


def test_a_block_that_claims_to_be_reversible_must_have_a_rollback() -> None:
    assert "rollback" in refused(Plain, reversible=True).what
