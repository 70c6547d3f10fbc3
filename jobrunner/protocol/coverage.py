"""How tests tell children to measure which lines of a block run."""

from typing import Final

COVERAGE_VARIABLE: Final = "NEOPS_TESTS_COVERAGE"
"""Its value is a JSON object with the directory for the children's data and the options of the tests' own `Coverage`.

Only what tests start lets it through to children: no daemon passes it on unless `--job-env` names it.
"""
