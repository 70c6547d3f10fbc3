"""What of ``neops_worker_sdk`` is not here, and what to do then."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, Final

ALIASED: Final = "neops_worker_sdk"

_INSTALL: Final = (
    f"install {ALIASED} beside this worker (it needs Python 3.12 or newer), and its own code runs"
)

_WAYS_OUT: Final = {
    "connection.plugins": "talks to devices by code of that package. Register a ConnectionPlugin "
    "of your own (NetmikoConnectionPluginBase is here), use netmiko in run() (blocks/ssh shows how)",
    "connection.detection": "finds out a device's platform by code of that package. Use netmiko's SSHDetect in run()",
    "connection.utils.jinja": "renders templates by code of that package. Use jinja2 in run()",
    "connection.utils.restricted_python": "runs foreign Python by code of that package. A job here is a process of its "
    "own: see blocks/python_eval.py",
    "connection.utils.textfsm": "is a set of templates of that package. Use ntc-templates",
    "connection.utils": "is code of that package. Use netmiko, or hier_config, in run()",
    "cli": "is that package's worker, which this one replaces. Leave the import out",
    "worker": "is that package's worker, which this one replaces. Leave the import out",
    "utils": "is a helper of that package's worker. Leave the import out",
}
"""By the module's name below the package, the longest that fits."""


class NotCoveredError(ImportError):
    """A module or a name of ``neops_worker_sdk`` that the alias does not have. ``missing`` is its dotted name."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"{missing} {_way_out(missing)}", name=missing)
        self.missing = missing


def _way_out(missing: str) -> str:
    below = missing.removeprefix(f"{ALIASED}.")
    fitting = [module for module in _WAYS_OUT if below == module or below.startswith(f"{module}.")]
    if fitting:
        return f"{_WAYS_OUT[max(fitting, key=len)]}; or {_INSTALL}."
    return f"is not among the names that this worker knows of that package. Look for a misspelling; or {_INSTALL}."


def refusing(module: str) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for an alias module: what it does not have is named, with the way out.

    An ``ImportError`` and not the ``AttributeError`` of a plain module, of which the import statement would keep
    nothing but "cannot import name".
    """

    def missing(name: str) -> Any:
        # Probes, such as those of inspect and pytest; and submodules, which an import statement looks for next.
        if name.startswith("_") or _is_submodule(f"{module}.{name}"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise NotCoveredError(f"{module}.{name}")

    return missing


def mapped(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for an alias module that has nothing of its own: name to the module it comes from.

    They are loaded when they are first used, as in ``sdk`` itself.
    """
    refuse = refusing(module)

    def load(name: str) -> Any:
        home = homes.get(name)
        return getattr(importlib.import_module(home), name) if home is not None else refuse(name)

    return load


def _is_submodule(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
