"""Where the class under test is, in the words in which the worker is told where blocks are."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from sdk.block import FunctionBlock
from sdk.testing.errors import BlockNotFoundError

ENTRY_POINTS = "entry-points"
"""The blocks of installed packages."""

Source = str | os.PathLike[str]


def block_id_of(cls: type[FunctionBlock[Any, Any]]) -> str:
    """Return the id under which ``cls`` is registered. Raises ``BlockNotFoundError``."""
    # Its own, not that of a base: the child would run the base.
    registration = vars(cls).get("registration")
    if registration is None:
        raise BlockNotFoundError(
            f"{cls.__module__}.{cls.__qualname__} is not registered. Decorate it with @register_function_block(...)."
        )
    return str(registration.identifier)


def source_of(cls: type[FunctionBlock[Any, Any]]) -> str:
    """Return the name of the module of ``cls``, or its file where an import of that name leads elsewhere.

    By its name a module of a package finds its neighbours by relative imports. The process that imports it gets our
    ``sys.path``. Raises ``BlockNotFoundError``.
    """
    name = f"{cls.__module__}.{cls.__qualname__}"
    if "<locals>" in cls.__qualname__:
        raise BlockNotFoundError(
            f"{name} is defined inside a function, where no other process finds it. Move it to the top of its module."
        )
    try:
        file = os.path.abspath(inspect.getfile(cls))
    except (TypeError, OSError):
        raise BlockNotFoundError(f"{name} is in no file. Put it into a module.") from None
    origin = _origin_of(cls.__module__)
    if origin is not None and os.path.exists(origin) and os.path.samefile(origin, file):
        return cls.__module__
    return file


def named_sources(source: Source | Iterable[Source] | None) -> tuple[str, ...]:
    """Return sources as the worker takes them, paths made absolute: directories, ``.py`` files, module names."""
    if source is None:
        return (ENTRY_POINTS,)
    items = [source] if isinstance(source, str | os.PathLike) else list(source)
    return tuple(_absolute(os.fspath(item)) for item in items)


def _absolute(source: str) -> str:
    is_path = "/" in source or source.endswith(".py") or Path(source).is_dir()
    return os.path.abspath(os.path.expanduser(source)) if is_path else source


def _origin_of(module: str) -> str | None:
    """Return the file that importing ``module`` would lead to in a new process with our ``sys.path``.

    Not by ``importlib.util.find_spec``: it answers from ``sys.modules`` for what is imported already, however that
    came about.
    """
    locations: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        spec = _find(".".join(parts[:depth]), locations)
        if spec is None:
            return None
        locations = spec.submodule_search_locations
        if depth < len(parts) and locations is None:
            return None
    return spec.origin if spec else None


def _find(name: str, locations: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, locations) if find else None
        if spec is not None:
            return spec
    return None
