"""Finds a name for the module of a class by which an import leads to the file of the class."""

import os
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder


def source_for(module: str, file: str) -> str:
    """Return `module` if a new interpreter with this one's `sys.path` would import `file` under that name.

    By its name, a module of a package finds its neighbours by relative imports. Otherwise it returns `file`. It imports
    nothing: a package's own code must not run here.
    """
    origin = _origin_of(module)
    same = origin is not None and os.path.exists(origin) and os.path.exists(file)
    return module if same and os.path.samefile(str(origin), file) else file


def _origin_of(module: str) -> str | None:
    # `importlib.util.find_spec` would import the packages above the module.
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
    """Same as `PathFinder`, but it also finds a directory without an `__init__.py`.

    For such a directory, `PathFinder` looks for the package above among the imported modules, and raises `KeyError`.
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
