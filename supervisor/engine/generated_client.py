"""What is used of the engine's generated client, without what is not: its routes and its models.

Its package imports these first, all of them, and pydantic builds a validator for each: 0.3 s of CPU in every start. So
the package's own code, and that of its models, runs only where a name of it is asked for, which this worker never does.
Whoever does gets all of it, with the same two classes.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any, Final

_PACKAGE: Final = "neops_workflow_engine_client"


class _LateModule(ModuleType):
    """A package whose code runs when a name is asked for that is none of its modules'."""

    def __getattr__(self, name: str) -> Any:
        if importlib.util.find_spec(f"{self.__name__}.{name}") is not None:
            return importlib.import_module(f"{self.__name__}.{name}")
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on like any other, also while its code runs
        if self.__spec__ is not None and self.__spec__.loader is not None:
            self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _load_late(name: str) -> None:
    """Have the module `name` there to import from, without its code. One that is loaded stays as it is."""
    if name in sys.modules or (spec := importlib.util.find_spec(name)) is None:
        return  # that it is missing, the import below says
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
