"""`make lab`, as far as it takes little time."""

import pytest

from tests.programs.lab import steps as _steps  # noqa: F401  # registers them
from tests.programs.lab.__main__ import run_steps
from tests.programs.lab.stage import Options
from tests.programs.lab.step import STEPS

QUICK = {"routes"}


@pytest.mark.needs("frr lab")
def test_a_job_reads_real_routers_through_engine_worker_and_child() -> None:
    outcomes = run_steps([step for step in STEPS if step.name in QUICK], Options())
    assert len(outcomes) == len(QUICK)
    assert all(outcome.holds for outcome in outcomes), [outcome.figure for outcome in outcomes]
