"""Blocks that hang, crash or leave: what the harness tells of them, and that the next one is unharmed."""

from collections.abc import Iterator

import pytest

from blocks.testing.descendants import IgnoreSigtermTree
from blocks.testing.ends import ExitCode, Segfault
from blocks.testing.errors import RaiseError
from blocks.testing.hangs import GilHog, HangAwait, HangSleep, Spin
from blocks.testing.isolation import ReadState
from sdk.testing import BlockOutcome, BlockRunner

SOURCE = "blocks.testing"


@pytest.fixture(autouse=True)
def next_one_is_unharmed(block_runner: BlockRunner) -> Iterator[None]:
    yield
    assert block_runner.run(ReadState, source=SOURCE).success


@pytest.mark.parametrize(
    ("block", "params", "place"),
    [
        (HangSleep, {}, "hangs.py"),
        (Spin, {}, "hangs.py"),
        (GilHog, {"mode": "power"}, "hangs.py"),
        (IgnoreSigtermTree, {}, "descendants.py"),
    ],
    ids=["sleep", "spin", "gil", "tree"],
)
def test_a_hang_is_killed_and_its_stack_shows_where_it_was(
    block_runner: BlockRunner, block: type[HangSleep], params: dict[str, str], place: str
) -> None:
    outcome = block_runner.run(block, params, source=SOURCE, max_seconds=3, grace_seconds=0.1)
    assert (outcome.cause, outcome.signal_name, outcome.killed) == ("time_limit", "SIGKILL", True)
    assert f'{place}", line' in outcome.stack
    assert "in run" in outcome.stack
    assert outcome.elapsed_seconds >= 3


def test_a_block_that_the_request_for_its_stack_wakes_up_has_failed_all_the_same(
    block_runner: BlockRunner,
) -> None:
    # The signal interrupts the call in C, and the block goes on and returns success.
    outcome = block_runner.run(GilHog, source=SOURCE, max_seconds=0.5, grace_seconds=0)
    assert (outcome.success, outcome.cause, outcome.data) == (False, "time_limit", None)


def test_a_block_that_can_be_cancelled_ends_by_itself_at_its_limit(block_runner: BlockRunner) -> None:
    outcome = block_runner.run(HangAwait, source=SOURCE, max_seconds=2, grace_seconds=60)
    assert (outcome.cause, outcome.exit_code, outcome.killed) == ("time_limit", 0, False)


def test_a_segmentation_fault_is_told_with_its_signal_and_its_stack(block_runner: BlockRunner) -> None:
    outcome = block_runner.run(Segfault, source=SOURCE)
    assert (outcome.cause, outcome.signal_name, outcome.killed) == ("crashed", "SIGSEGV", False)
    assert "ends.py" in outcome.stack


@pytest.mark.parametrize("code", [0, 7])
def test_an_end_without_a_result_is_no_success_whatever_its_exit_code(
    block_runner: BlockRunner, code: int
) -> None:
    outcome = block_runner.run(ExitCode, {"code": code}, source=SOURCE)
    assert (outcome.success, outcome.cause, outcome.exit_code) == (False, "exited", code)


def test_descendants_of_a_killed_block_are_killed_and_counted(block_runner: BlockRunner) -> None:
    outcome = block_runner.run(IgnoreSigtermTree, source=SOURCE, max_seconds=3, grace_seconds=0)
    assert outcome.leftover_processes >= 3


def test_an_exception_is_a_failure_with_its_traceback_in_the_log(block_runner: BlockRunner) -> None:
    outcome: BlockOutcome = block_runner.run(RaiseError, source=SOURCE)
    assert (outcome.cause, outcome.exit_code) == ("block_raised", 0)
    assert "ValueError: This block always fails" in outcome.message
    assert any("Traceback (most recent call last)" in line.message for line in outcome.logs)
