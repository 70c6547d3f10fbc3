"""The steps of the run. Each finds the service as the one before has left it."""

from collections.abc import Awaitable, Callable
from typing import Final

from tests.programs.steps import Step, registering
from tests.programs.systemd.manager import Manager

Run = Callable[[Manager], Awaitable[str]]

STEPS: Final[list[Step[Run]]] = []
"""In the order in which they run: that of the modules, and of their lines."""

step: Final = registering(STEPS)
"""Register a step by its title."""
