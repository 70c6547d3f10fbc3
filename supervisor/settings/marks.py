"""Variables with our prefix that are no settings: the programs of this package know each other by them."""

from typing import Final

MARK_VARIABLE: Final = "NEOPS_DEMO_RUN"
"""Carries the mark of one run of the demo, by which every process of that run can be recognised."""

AT_LEAST_INFO_VARIABLE: Final = "NEOPS_WORKER_OF_A_COMMAND"
"""Set for a worker that another command reads: that needs its INFO lines, whatever level a person wants to see."""
