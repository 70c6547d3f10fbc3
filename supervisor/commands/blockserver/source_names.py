"""How to name the module of a class, so that importing it leads to the file in which the class was found."""

import os
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder


def source_for(module: str, file: str) -> str:
    """Return `module` if a new interpreter with this one's `sys.path` would import `file` under that name.

    By its name, a module of a package finds its neighbours by relative imports. Otherwise returns `file`. Imports
    nothing: a package's own code must not run here.
    """
    origin = _origin_of(module)
    same = origin is not None and os.path.exists(origin) and os.path.exists(file)
    return module if same and os.path.samefile(str(origin), file) else file


def _origin_of(module: str) -> str | None:
    # Not `importlib.util.find_spec`, which imports the packages above the module.
    locations: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        if depth > 1 and locations is None:
            return None
        spec = _find(".".join(parts[:depth]), locations)
        if spec is None:
            return None
        locations = spec.submodule_search_locations
    return spec.origin if spec else None


def _find(name: str, locations: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if finder is PathFinder and locations is not None:
            spec = _find_below(name, locations)
        else:
            spec = find(name, locations) if find else None
        if spec is not None:
            return spec
    return None


def _find_below(name: str, locations: Iterable[str]) -> ModuleSpec | None:
    """Find what `PathFinder` does, also a directory without an `__init__.py`.

    To make a package of such a one, that looks among the imported modules for the package above, and raises `KeyError`.
    """
    directories: list[str] = []
    for location in locations:
        finder = pkgutil.get_importer(location)
        spec = finder.find_spec(name) if finder is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:
            directories += spec.submodule_search_locations or ()
    if not directories:
        return None
    package = ModuleSpec(name, None, is_package=True)
    package.submodule_search_locations = directories
    return package
