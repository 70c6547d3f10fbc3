"""The steps of the run. Each leaves the routers configured as it has found them."""

from collections.abc import Callable
from typing import Final

from tests.programs.lab.stage import Stage
from tests.programs.steps import Step, registering

Run = Callable[[Stage], str]

STEPS: Final[list[Step[Run]]] = []
"""In the order in which they run: that of the modules, and of their lines."""

step: Final = registering(STEPS)
"""Register a step by its title."""
