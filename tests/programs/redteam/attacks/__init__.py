"""The attacks, one module for each area. A new module is found by its name alone."""

import importlib
import pkgutil

from tests.programs.redteam.attack import ATTACKS, Attack


def all_attacks() -> dict[str, Attack]:
    """Return every attack by its number, in the order of the modules' names and of their lines."""
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return dict(ATTACKS)
