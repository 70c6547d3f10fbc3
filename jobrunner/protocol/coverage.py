"""How tests tell children to measure which lines of a block run."""

from typing import Final

COVERAGE_VARIABLE: Final = "NEOPS_TESTS_COVERAGE"
"""Its value is a JSON object with the directory for the children's data and the options of the tests' own `Coverage`.

Only what tests start passes it on to children; a daemon does not, unless `--job-env` names it.
"""
