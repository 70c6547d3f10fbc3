"""Which module there is already by a name that an author gives to a file. Nothing is imported."""

import importlib.util
import sys
from typing import Final

_OURS: Final = frozenset({"blocks", "sdk", "supervisor", "jobrunner"})


def owner_of(name: str) -> str:
    """Return what module of this name there is already; an empty text where there is none.

    `name` is that of a top-level module. Modules of Python, of the worker, and installed ones are known.
    """
    if name in sys.stdlib_module_names:
        return f"Python's own module {name!r}"
    if name in _OURS:
        return f"the worker's package {name!r}"
    try:
        # A name without dots: it is looked up, and nothing is imported.
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ""
    # A namespace package is any directory of that name on the path: it gives way to a module.
    if found is None or found.origin is None or not _is_installed(found.origin):
        return ""
    return f"the installed module {name!r}"


def _is_installed(origin: str) -> bool:
    return "site-packages" in origin or "dist-packages" in origin
