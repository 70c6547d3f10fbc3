"""Reading the other package's registry: each block there becomes one here."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from sdk.block_registry import RegisteredBlock, registry
from sdk.compat.finder import is_alias
from sdk.compat.installed.running import InstalledJobRun
from sdk.compat.ways_out import ALIASED
from sdk.errors import RegistrationError, SdkError
from sdk.registration import Registration


class InstalledRegistration(Registration):
    """A registration whose models derive from the other package's base classes."""

    __slots__ = ()

    def check_model(self, field: str, base: type) -> None:
        """Raise ``RegistrationError`` unless the field is a pydantic model."""
        Registration.check_model(self, field, BaseModel)


def adopt_blocks() -> list[tuple[str, SdkError]]:
    """Register what the other package's registry holds and this one does not. Return what was refused, by module.

    Does nothing where that package was not imported, or is the alias.
    """
    refused: list[tuple[str, SdkError]] = []
    for cls, theirs in _entries(sys.modules.get(f"{ALIASED}.registry")):
        # A module that failed further down has left its blocks there; it is in sys.modules no longer.
        if cls.__module__ not in sys.modules or _is_known(cls):
            continue
        try:
            registry.register(_adopted(cls, theirs))
        except SdkError as error:
            refused.append((cls.__module__, error))
    return refused


def _entries(module: ModuleType | None) -> list[tuple[type[Any], Any]]:
    if module is None or is_alias(sys.modules.get(ALIASED)):
        return []
    blocks = getattr(getattr(module, "registry", None), "function_blocks", None)
    if not isinstance(blocks, Mapping):
        raise RegistrationError(
            f"the registry of the installed {ALIASED} is not as in version 0.2",
            where=f"{ALIASED}.registry",
            advice="Install that version, or uninstall the package: its blocks then run by this worker's own code.",
        )
    return [(entry[0], entry[1]) for entry in blocks.values()]


def _is_known(cls: type[Any]) -> bool:
    return any(block.cls is cls for block in registry.function_blocks.values())


def _adopted(cls: type[Any], theirs: Any) -> RegisteredBlock:
    fields = {
        name: getattr(theirs, name) for name in Registration.__dataclass_fields__ if hasattr(theirs, name)
    }
    try:
        file, line = inspect.getsourcefile(cls) or "unknown", inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        file, line = "unknown", 0
    return RegisteredBlock(
        cls,
        InstalledRegistration(**fields),
        module=cls.__module__,
        file=file,
        line=line,
        job_run=InstalledJobRun,
    )
