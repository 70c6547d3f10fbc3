"""The import system's part of the alias: where ``neops_worker_sdk`` comes from when nobody has installed it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

from sdk.compat.migration_hints import ALIASED, NotCoveredError

_ALIAS: Final = Path(__file__).parent / "alias"


class AliasFinder(MetaPathFinder):
    """Finds the alias of ``neops_worker_sdk``, and says what is missing below it.

    It stands last: the import system asks it only for what nobody else finds. So it is silent where the real package
    is installed. The modules below the alias are plain files, which the usual finder loads; this one sees only the
    names that have no file.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the alias for the package itself. Raises ``NotCoveredError`` for a module that is not in it."""
        if fullname == ALIASED:
            return importlib.util.spec_from_file_location(
                fullname, _ALIAS / "__init__.py", submodule_search_locations=[str(_ALIAS)]
            )
        if fullname.startswith(f"{ALIASED}.") and is_alias(sys.modules.get(ALIASED)):
            raise NotCoveredError(fullname)
        return None


def install_alias() -> None:
    """Make ``import neops_worker_sdk`` work in this process. May be called again; imports nothing itself."""
    if not any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        sys.meta_path.append(AliasFinder())


def is_alias(module: ModuleType | None) -> bool:
    """Whether ``module`` is the alias, and not the real package."""
    return getattr(module, "__neops_alias__", False) is True
