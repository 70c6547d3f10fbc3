"""The alias's part of the import system: it gives `neops_worker_sdk` if nobody has installed it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

from sdk.compat.migration_hints import ALIASED, NotCoveredError, refusing
from sdk.compat.re_exports import RE_EXPORTS

_ALIAS: Final = Path(__file__).parent / "alias"


class AliasFinder(MetaPathFinder):
    """Finds the alias of `neops_worker_sdk`, and says what is missing below it.

    It stands last: the import system asks it only for modules that no other finder has. So it does nothing if the real
    package is installed. An alias module with its own code is a file. One that only passes names on is in `RE_EXPORTS`.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the alias for the package or a module of it. Raises `NotCoveredError` for one that it lacks."""
        if fullname == ALIASED:
            return _of_file(fullname, _ALIAS / "__init__.py")
        if not fullname.startswith(f"{ALIASED}.") or not is_alias(sys.modules.get(ALIASED)):
            return None
        spec = spec_below(fullname)
        if spec is None:
            raise NotCoveredError(fullname)
        return spec


def spec_below(fullname: str) -> ModuleSpec | None:
    """Return the alias's module of this full name, `None` if it has none."""
    below = fullname.removeprefix(f"{ALIASED}.")
    place = _ALIAS.joinpath(*below.split("."))
    if below in RE_EXPORTS:
        return ModuleSpec(fullname, _ReExport(), origin=below, is_package=place.is_dir() or _is_parent(below))
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return _of_file(fullname, file)
    return None


class _ReExport(Loader):
    """Makes a module from a line of the table."""

    def exec_module(self, module: ModuleType) -> None:
        """Import the names from their homes."""
        below = module.__name__.removeprefix(f"{ALIASED}.")
        module.__doc__, _ = RE_EXPORTS[below]
        # All homes first: a home may be a module below this one with the same name as the object that it holds.
        found = [
            (name, getattr(place, attribute))
            for place, words in [(importlib.import_module(home), words) for home, words in _homes(below)]
            for name, attribute in words
        ]
        for name, value in found:
            setattr(module, name, value)
        module.__dict__["__all__"] = sorted(name for name, _ in found)
        module.__dict__["__getattr__"] = refusing(module.__name__)


def _homes(below: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each home by its full name, and the names to take from it: the name here, and the name there."""
    _, homes = RE_EXPORTS[below]
    for home, names in homes.items():
        words = [word.partition("=") for word in names.split()]
        yield (
            f"{ALIASED}{home}" if home.startswith(".") else home,
            [(name, old or name) for name, _, old in words],
        )


def _is_parent(below: str) -> bool:
    return any(other.startswith(f"{below}.") for other in RE_EXPORTS)


def _of_file(fullname: str, file: Path) -> ModuleSpec | None:
    spec = importlib.util.spec_from_file_location(fullname, file)
    if spec is not None and spec.submodule_search_locations is not None:
        # No folder to search: if a name has no file of its own, the usual finder would see an empty package.
        spec.submodule_search_locations.clear()
    return spec


def install_alias() -> None:
    """Make `import neops_worker_sdk` work in this process. May be called again; imports nothing itself."""
    if not any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        sys.meta_path.append(AliasFinder())


def is_alias(module: ModuleType | None) -> bool:
    """Whether `module` is the alias, and not the real package."""
    return getattr(module, "__neops_alias__", False) is True
