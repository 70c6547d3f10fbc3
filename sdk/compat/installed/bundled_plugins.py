"""The device plugins of the installed package. They register themselves when they are imported."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

from sdk.compat.finder import is_alias
from sdk.compat.migration_hints import ALIASED
from sdk.errors import RegistrationError

_log = logging.getLogger(__name__)

_CONNECTION: Final = f"{ALIASED}.connection"
_PLUGINS: Final = f"{_CONNECTION}.plugins"

plugin_problems: list[RegistrationError] = []
"""Why the plugins could not be loaded, if that failed."""


class BundledPlugins(MetaPathFinder):
    """Imports the plugins right after `neops_worker_sdk.connection`, which all code that reaches a device needs.

    The package's own worker imports them when it starts. Here only the blocks show whether they are needed: they load
    netmiko, scrapli and napalm, which takes a second and 100 MB. This finder stands first, and finds nothing itself.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the package's own spec, with a loader that also loads the plugins; `None` for all other modules."""
        if fullname != _CONNECTION or is_alias(sys.modules.get(ALIASED)):
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((found for found in specs if found is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenThePlugins(spec.loader)
        return spec


class _ThenThePlugins(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        try:
            importlib.import_module(_PLUGINS)
        except Exception as error:
            # If a library of the plugins can't be loaded, the block has no devices, but all else works.
            problem = RegistrationError(
                f"its device plugins can't be imported ({type(error).__name__}: {error})",
                where=_PLUGINS,
                advice=f"Install {ALIASED} again with all that it needs. Blocks that use no device run all the same.",
            )
            plugin_problems.append(problem)
            _log.error("%s", problem)


def load_bundled_plugins_on_demand() -> None:
    """Make this process load the plugins when they are needed. May be called again; imports nothing itself."""
    if not any(isinstance(finder, BundledPlugins) for finder in sys.meta_path):
        sys.meta_path.insert(0, BundledPlugins())
