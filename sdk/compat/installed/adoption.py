"""Reads the other package's registry: each block there becomes a block here."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from sdk.block_registry import RegisteredBlock, registry
from sdk.compat.finder import is_alias
from sdk.compat.installed.bundled_plugins import plugin_problems
from sdk.compat.installed.job_run import InstalledJobRun
from sdk.compat.migration_hints import ALIASED
from sdk.errors import RegistrationError, SdkError
from sdk.frames import count_as_plumbing
from sdk.registration import Registration
from sdk.sensitive import Sensitive


class InstalledRegistration(Registration):
    """A registration whose models derive from the other package's base classes."""

    __slots__ = ()

    def _check_model(self, field: str, base: type) -> None:
        Registration._check_model(self, field, BaseModel)


@dataclass(frozen=True, slots=True)
class RefusedBlock:
    """A block that can't be adopted, where it is, and why."""

    module: str
    file: str | None
    line: int | None
    error: SdkError


def adopt_blocks() -> list[RefusedBlock]:
    """Register the blocks that the other package's registry has and this one lacks. Return what was refused.

    The refused ones include device plugins of the package that could not be imported.

    Does nothing if that package was not imported, or is the alias.
    """
    refused = [RefusedBlock(problem.where, None, None, problem) for problem in plugin_problems]
    try:
        entries = _entries(sys.modules.get(f"{ALIASED}.registry"))
    except RegistrationError as error:
        return [*refused, RefusedBlock(f"{ALIASED}.registry", None, None, error)]
    if entries:
        _take_their_marker_for_ours()
        _take_their_frames_for_plumbing()
    for cls, theirs in entries:
        # A module that failed further down has left its blocks in the registry, but is not in sys.modules any more.
        if cls.__module__ not in sys.modules or _is_known(cls):
            continue
        file, line = _place(cls)
        try:
            registry.register(_adopted(cls, theirs, file or "unknown", line or 0))
        except SdkError as error:
            refused.append(RefusedBlock(cls.__module__, file, line, error))
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


def _take_their_marker_for_ours() -> None:
    # Done before any model is asked for its marked fields, because the answers are kept.
    marker = getattr(sys.modules.get(f"{ALIASED}.logger.redaction"), "Sensitive", None)
    if isinstance(marker, type):
        Sensitive.register(marker)


def _take_their_frames_for_plumbing() -> None:
    file = getattr(sys.modules.get(ALIASED), "__file__", None)
    if file is not None:
        count_as_plumbing(os.path.dirname(file))


def _is_known(cls: type[Any]) -> bool:
    return any(block.cls is cls for block in registry.function_blocks.values())


def _place(cls: type[Any]) -> tuple[str | None, int | None]:
    try:
        return inspect.getsourcefile(cls), inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return None, None


def _adopted(cls: type[Any], theirs: Any, file: str, line: int) -> RegisteredBlock:
    names = [name for name in Registration.__dataclass_fields__ if hasattr(theirs, name)]
    registration = InstalledRegistration(**{name: getattr(theirs, name) for name in names})
    return RegisteredBlock(
        cls, registration, module=cls.__module__, file=file, line=line, job_run=InstalledJobRun
    )
