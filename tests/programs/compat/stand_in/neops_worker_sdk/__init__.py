"""A stand-in for the installed package, where that can't be had: its registry, blocks, results and context anew.

What is not here (loggers, connections, …) comes from the alias: it is the same in both modes.
Written for the tests of `sdk.compat.installed`; its classes are none of `sdk`, as those of the package are not.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

from sdk.compat.finder import spec_below


class _Rest(MetaPathFinder):
    """Finds in the alias what nobody else has found below this package."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return spec_below(fullname) if fullname.startswith(f"{__name__}.") else None


sys.meta_path.append(_Rest())
