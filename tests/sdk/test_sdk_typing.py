"""What type checkers make of a block."""

import subprocess
import sys
from pathlib import Path

import pytest
from sdk_support import registered
from sdk_typing_sample import REGISTRATION, WithMeta, WithoutMeta, use

from sdk.decorator import register_function_block

ROOT = Path(__file__).parents[2]


async def test_the_sample_runs() -> None:
    await use()


def test_a_decorated_class_keeps_its_type() -> None:
    assert registered(WithMeta).cls is WithMeta
    assert callable(register_function_block(REGISTRATION))
    assert WithoutMeta.run is not WithMeta.run


def test_mypy_infers_a_blocks_types_and_notices_what_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    sample = ROOT / "tests" / "sdk" / "sdk_typing_sample.py"
    text = sample.read_text()
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        text.replace(
            "assert_type(result.data, Result | None)", "assert_type(result.data, Params | None)"
        ).replace(
            "self, params: Params, context: WorkflowContext, meta: JobMeta",
            "self, params: Result, context: WorkflowContext, meta: JobMeta",
        )
    )
    assert mypy(sample).startswith("Success")
    complaints = mypy(wrong)
    assert "[assert-type]" in complaints
    assert '"run" incompatible with supertype' in complaints
    assert "Found 2 errors" in complaints


def mypy(path: Path) -> str:
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache"), str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=55).stdout
