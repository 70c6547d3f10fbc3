"""The service under a real systemd, as far as it takes little time; all of it is `make systemd-test`."""

import pytest

from tests.programs.steps import table
from tests.programs.systemd import steps as _steps  # noqa: F401  # registers them
from tests.programs.systemd.__main__ import run_steps
from tests.programs.systemd.private_systemd import why_not
from tests.programs.systemd.step import STEPS

QUICK = {"ordinary_blocks", "no_way", "forged", "stopped"}


async def test_the_service_runs_blocks_hears_no_forged_notification_and_stops_with_nothing_left() -> None:
    if reason := why_not():
        pytest.skip(reason)
    outcomes = await run_steps([step for step in STEPS if step.name in QUICK])
    assert len(outcomes) == len(QUICK)
    assert all(outcome.holds for outcome in outcomes), table(outcomes)
