"""A wait in vain ends before its whole test does: the condition that did not come true says more than a stack."""

import tomllib
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


def test_two_waits_fit_into_the_time_of_a_test() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pytest"]["ini_options"]["timeout"] > 2 * PATIENCE_SECONDS
