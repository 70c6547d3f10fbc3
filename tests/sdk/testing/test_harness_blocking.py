"""A block that holds up its event loop, run by the harness: the warning is in the outcome's log."""

import logging

from sdk.testing import BlockRunner


def test_the_warning_of_code_that_blocks_is_a_line_of_the_outcome_s_log(block_runner: BlockRunner) -> None:
    outcome = block_runner.run(
        "neops_testing/hang_sleep", source="blocks.testing", max_seconds=5, grace_seconds=0
    )
    assert outcome.cause == "time_limit"
    (warning,) = [line for line in outcome.logs if "blocks its event loop" in line.message]
    assert warning.level == logging.WARNING
    assert "hangs.py" in warning.message
    assert "@run_in_thread" in warning.message
