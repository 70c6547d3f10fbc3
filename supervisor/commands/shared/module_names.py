"""Which module already has the name of an author's file. It imports nothing."""

import importlib.util
import sys
from typing import Final

_OURS: Final = frozenset({"blocks", "sdk", "supervisor", "jobrunner"})


def owner_of(name: str) -> str:
    """Return which module already has this name; an empty text if there is none.

    `name` is the name of a top-level module. It knows modules of Python, of the worker, and installed ones.
    """
    if name in sys.stdlib_module_names:
        return f"Python's own module {name!r}"
    if name in _OURS:
        return f"the worker's package {name!r}"
    try:
        # For a name without dots, this only looks and imports nothing.
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ""
    # Any directory of that name on the path is a namespace package: a module wins over it.
    if found is None or found.origin is None or not _is_installed(found.origin):
        return ""
    return f"the installed module {name!r}"


def _is_installed(origin: str) -> bool:
    return "site-packages" in origin or "dist-packages" in origin
