"""Names of `neops_worker_sdk` that this SDK lacks, and what to do instead."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from sdk.compat.imported_names import imported_names

ALIASED: Final = "neops_worker_sdk"

_INSTALL: Final = (
    f"install {ALIASED} beside this worker (it needs Python 3.12 or newer), and its own code runs"
)
_PUBLISHED: Final = Path(__file__).with_name("published_names.txt")
"""The public names of the package's version 0.2.0b7, one module in a line."""

_UPDATES: Final = "Return the context from run(): the worker works the database updates out from it"
_MIGRATION_HINTS: Final = {
    "connection.plugins": "talks to devices by code of that package. Proxies for IOS and FRR have all "
    "that it can here, those for other platforms send commands. For more, register a ConnectionPlugin of your own "
    "(NetmikoConnectionPluginBase is here), or use sdk.connection in run()",
    "connection.utils.textfsm": "is a set of templates of that package. Use ntc-templates",
    "connection.utils": "is code of that package. Use netmiko, or hier_config, in run()",
    "connection.utils.config_diff": "works on the trees of hier_config, and differences of configurations are this "
    "worker's own here. Use get_config_delta without tags, or hier_config itself in run()",
    "cli": "is that package's worker, which this one replaces. Leave the import out",
    "registry.registration_discoverer": "finds blocks for that package's worker. "
    "Name the directory in --function-blocks, and leave the import out",
    "worker": "is that package's worker, which this one replaces. Leave the import out",
    "workflow.db_updates.generate_db_updates": f"is a step of that package's worker. {_UPDATES}",
    "workflow.generate_db_updates": f"is a step of that package's worker. {_UPDATES}",
    "workflow.DbUpdateDto": f"is what that package's worker makes of a context. {_UPDATES}",
    "utils": "is a helper of that package's worker. Leave the import out",
}
"""By the name below the package. The longest that fits counts."""

_BY_LAST_NAME: Final = {
    "P": "is a variable of that module's types. Write ParamSpec('P')",
    "R": "is a variable of that module's types. Write TypeVar('R')",
    "logger": "is that module's own logger. Use self.logger in a block, logging.getLogger(__name__) elsewhere",
}


class NotCoveredError(ImportError):
    """A module or a name of `neops_worker_sdk` that the alias does not have. `missing` is its dotted name."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"{missing} {_way_out(missing)}", name=missing)
        self.missing = missing


@cache
def published_names() -> frozenset[str]:
    """Each module and name that the package publishes, dotted and below the package."""
    found: set[str] = set()
    for line in _PUBLISHED.read_text(encoding="utf-8").splitlines():
        module, _, names = line.partition(":")
        parts = module.split(".")
        found.update(".".join(parts[: end + 1]) for end in range(len(parts)))
        found.update(f"{module}.{name}" for name in names.split())
    return frozenset(found)


def _way_out(missing: str) -> str:
    below = missing.removeprefix(f"{ALIASED}.")
    if below not in published_names():
        return f"is not among the names that {ALIASED} publishes. Look for a misspelling; or {_INSTALL}."
    fitting = [name for name in _MIGRATION_HINTS if below == name or below.startswith(f"{name}.")]
    why = _MIGRATION_HINTS[max(fitting, key=len)] if fitting else _BY_LAST_NAME[below.rpartition(".")[2]]
    return f"is a name of {ALIASED} that this worker does not cover: it {why}; or {_INSTALL}."


def refusing(module: str) -> Callable[[str], Any]:
    """Return a `__getattr__` for an alias module. For a missing name it raises an error that says what to do.

    The error is an `ImportError`. Of the `AttributeError` of a plain module, the import statement would keep only
    "cannot import name".
    """

    def missing(name: str) -> Any:
        # For names that inspect and pytest look for, and for submodules, which an import statement looks for next.
        if name.startswith("_") or _is_submodule(f"{module}.{name}"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home = imported_names().get(f"{module}.{name}".removeprefix(f"{ALIASED}."))
        if home is None:
            raise NotCoveredError(f"{module}.{name}")
        return _from_its_home(home, name)

    return missing


def _from_its_home(home: str, name: str) -> Any:
    """A name that a module passes on. Raises `ImportError` if its home is not installed, or lacks the name."""
    place = importlib.import_module(f"{ALIASED}{home}" if home.startswith(".") else home)
    try:
        return getattr(place, name)
    except AttributeError:
        # The client's names differ from version to version: `way_out_of` says what to do.
        raise ImportError(f"cannot import name {name!r} from {home!r}", name=home) from None


def mapped(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a `__getattr__` for an alias module without own code. `homes`: the module that each name comes from.

    Each name is loaded when it is first used, as in `sdk` itself.
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
