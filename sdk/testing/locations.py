"""Where the class under test is, in the form in which the worker is told where blocks are."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sdk.block import FunctionBlock
from sdk.testing.errors import BlockNotFoundError

ENTRY_POINTS = "entry-points"
"""The blocks of installed packages."""

Source = str | os.PathLike[str]


def block_id_of(cls: type[FunctionBlock[Any, Any]]) -> str:
    """Return the id under which `cls` is registered. Raises `BlockNotFoundError`."""
    __tracebackhide__ = True
    # Its own registration, not a base class's: otherwise the child would run the base class.
    registration = vars(cls).get("registration")
    if registration is None:
        raise BlockNotFoundError(
            f"{cls.__module__}.{cls.__qualname__} is not registered. Decorate it with @register_function_block(...)."
        )
    return str(registration.identifier)


def module_of(cls: type[FunctionBlock[Any, Any]]) -> dict[str, str]:
    """Return `name` and `file` of the module of `cls`. Raises `BlockNotFoundError`."""
    __tracebackhide__ = True
    name = f"{cls.__module__}.{cls.__qualname__}"
    if "<locals>" in cls.__qualname__:
        raise BlockNotFoundError(
            f"{name} is defined inside a function, where no other process finds it. "
            "Move it to the top of its module."
        )
    try:
        file = os.path.abspath(inspect.getfile(cls))
    except (TypeError, OSError):
        raise BlockNotFoundError(f"{name} is in no file. Put it into a module.") from None
    return {"name": cls.__module__, "file": file}


def named_sources(source: Source | Iterable[Source] | None) -> tuple[str, ...]:
    """Return sources in the form that the worker accepts, with absolute paths: directories, `.py` files, modules."""
    if source is None:
        return (ENTRY_POINTS,)
    items = [source] if isinstance(source, str | os.PathLike) else list(source)
    return tuple(_absolute(os.fspath(item)) for item in items)


def _absolute(source: str) -> str:
    is_path = "/" in source or source.endswith(".py") or Path(source).is_dir()
    return os.path.abspath(os.path.expanduser(source)) if is_path else source


def looked_in(module: Mapping[str, str] | None, sources: Iterable[str]) -> str:
    """Return where a block was looked for, and how to look elsewhere."""
    if module is not None:
        return f"It was looked for in {module['file']}, where its class is from."
    named = ("the blocks of installed packages" if each == ENTRY_POINTS else each for each in sources)
    return (
        f"It was looked for in: {', '.join(named)}. Give its class instead of its id, or source=: a directory, a .py "
        "file or a module name."
    )
