"""The part of the engine's generated client that the worker uses, without its routes and its models.

The client's package first imports all of these, and pydantic builds a validator for each: 0.3 s of CPU at every start.
So the package's own code, and the code of its models, runs only if somebody asks for a name in it. This worker never
does. Whoever does gets all of it, with the same two classes.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any, Final

_PACKAGE: Final = "neops_workflow_engine_client"


class _LateModule(ModuleType):
    """A package whose code runs when somebody asks for a name that is not one of its modules."""

    def __getattr__(self, name: str) -> Any:
        if importlib.util.find_spec(f"{self.__name__}.{name}") is not None:
            return importlib.import_module(f"{self.__name__}.{name}")
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on like any other, also while its code runs
        if self.__spec__ is not None and self.__spec__.loader is not None:
            self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _load_late(name: str) -> None:
    """Make the module `name` importable without running its code. A module that is loaded already stays as it is."""
    if name in sys.modules or (spec := importlib.util.find_spec(name)) is None:
        return  # the import below reports that it is missing
    module = importlib.util.module_from_spec(spec)
    module.__class__ = _LateModule
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


_load_late(_PACKAGE)
_load_late(f"{_PACKAGE}.models")

from neops_workflow_engine_client.api_client import ApiClient  # noqa: E402
from neops_workflow_engine_client.configuration import Configuration  # noqa: E402

__all__ = ["ApiClient", "Configuration"]
