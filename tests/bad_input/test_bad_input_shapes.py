"""Blocks of an unusual shape, and parameters that do not fit: each in a real child."""

from pathlib import Path
from typing import Any

import pytest

from sdk.testing import BlockOutcome, BlockRunner

SOURCE = Path(__file__).with_name("bad_blocks")


def run(block_runner: BlockRunner, block: str, params: Any = None, **options: Any) -> BlockOutcome:
    return block_runner.run(f"bad/{block}:1.0.0", params or {}, source=SOURCE, **options)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "count: missing"),
        ({"count": "x"}, "count: Input should be a valid integer"),
        ({"count": 1.5}, "count: Input should be a valid integer"),
        ({"count": None}, "count: Input should be a valid integer"),
        ({"count": {}}, "count: Input should be a valid integer"),
        ({"count": 1, "ports": "12"}, "ports: Input should be a valid list"),
        ({"count": 1, "ports": [1, "b", {}]}, "ports[1]: Input should be a valid integer"),
        ({"count": 1, "pin": ["swordfish"]}, "pin: Input should be a valid string"),
    ],
)
def test_parameters_that_do_not_fit_are_a_failure_that_names_the_field(
    block_runner: BlockRunner, params: dict[str, Any], said: str
) -> None:
    outcome = run(block_runner, "picky", params)
    assert (outcome.success, outcome.cause, outcome.retryable) == (False, "block_failed", False)
    assert outcome.message.startswith(f"bad/picky:1.0.0: The parameters do not fit Picky: {said}")
    assert outcome.message.endswith("Correct the parameters of this step in the workflow.")
    assert "swordfish" not in outcome.report()


def test_parameters_that_the_block_does_not_know_are_named_once_and_ignored(
    block_runner: BlockRunner,
) -> None:
    outcome = run(block_runner, "picky", {"count": "5", "extra": 1, "other": {}})
    assert outcome.success
    (line,) = outcome.logs
    assert line.level == 30
    assert "unknown to Picky are ignored: extra, other" in line.message


@pytest.mark.parametrize(
    ("job_type", "written"),
    [
        ("execute", "async def run(self, params, context)"),
        ("acquire", "async def acquire(self, params)"),
        ("rollback", "async def rollback(self, params, context, result_from_failed)"),
    ],
)
def test_a_method_that_is_not_async_runs_in_a_thread_and_the_log_says_what_to_write(
    block_runner: BlockRunner, job_type: str, written: str
) -> None:
    outcome = run(block_runner, "plain", job_type=job_type)
    assert outcome.success, outcome.report()
    (line,) = outcome.logs
    assert line.level == 30
    assert line.message.startswith("bad/plain:1.0.0: ")
    assert f"is not async ({SOURCE / 'shapes.py'}:" in line.message
    assert f"Write '{written}'" in line.message


def test_the_thread_has_the_context_variables_of_the_job(block_runner: BlockRunner) -> None:
    assert run(block_runner, "plain").message == "False vanilla"


def test_a_hang_in_that_thread_ends_at_the_limit_with_the_author_s_line_and_the_warning(
    block_runner: BlockRunner,
) -> None:
    outcome = run(block_runner, "plain", {"which": "hang"}, max_seconds=3, grace_seconds=5)
    assert (outcome.cause, outcome.killed) == ("time_limit", False)
    assert f'File "{SOURCE / "shapes.py"}", line' in outcome.stack
    assert "in run" in outcome.stack
    assert "is not async" in outcome.logs[0].message


def test_a_run_with_meta_gets_it(block_runner: BlockRunner) -> None:
    assert run(block_runner, "with_meta").message == "bad/with_meta:1.0.0"


def test_a_constructor_that_forgets_its_base_is_named_and_the_block_can_log(
    block_runner: BlockRunner,
) -> None:
    outcome = run(block_runner, "no_super")
    assert outcome.success, outcome.report()
    assert "does not call super().__init__(logger=logger)" in outcome.logs[0].message
    assert outcome.logs[1].message == "still logging"


def test_names_and_texts_need_not_be_ascii(block_runner: BlockRunner) -> None:
    outcome = block_runner.run("büro/größe:1.0.0", source=SOURCE)
    assert (outcome.message, outcome.data) == (
        "fertig \N{BROOM}",
        {"value": {"schlüssel": "wert \N{BROOM}"}},
    )
    outcome = block_runner.run("büro/größe:1.0.0", {"which": "raise"}, source=SOURCE)
    assert outcome.message.startswith("büro/größe:1.0.0 raised ValueError: unmöglich (")


def test_what_a_block_changes_in_its_class_and_module_is_gone_with_its_job(block_runner: BlockRunner) -> None:
    for _ in range(2):
        outcome = run(block_runner, "mutating")
        assert outcome.data == {"value": [0, 0, 0, True]}
