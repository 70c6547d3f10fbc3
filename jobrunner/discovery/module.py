"""A module that may be imported, and the package that represents an author's directory."""

import importlib.util
import os
import sys
import types
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jobrunner.protocol.encodable import is_encodable

_PRIVATE: Final = "_neops_directory_"


@dataclass(frozen=True, slots=True)
class Module:
    """A module to import: its name for the import system, and its file for people."""

    name: str
    file: str | None

    @property
    def is_an_authors(self) -> bool:
        """Whether it comes from a directory or a file, not from an installed package."""
        return self.name.startswith(_PRIVATE)

    @property
    def is_directory(self) -> bool:
        """Whether it is an author's directory itself: its file is the `__init__.py` there."""
        return self.is_an_authors and "." not in self.name

    @property
    def can_be_named(self) -> bool:
        """Whether name and file are text that UTF-8 can hold: otherwise nobody can report them unchanged."""
        return is_encodable(self.name) and is_encodable(self.file or "")

    @property
    def leads_to_its_file(self) -> bool:
        """Whether an import of its name finds its file. Not if an author's file or folder has a dot in its name."""
        file = self.file or ""
        if not (self.is_an_authors and file.endswith(".py")) or self.is_directory:
            return True
        path = f"/{module_name(self.name)}".replace(".", "/")
        return file.endswith((f"{path}.py", f"{path}/__init__.py"))


def private_packages() -> list[str]:
    """Return the names of the packages under which this process has imported directories."""
    return [name for name in sys.modules if name.startswith(_PRIVATE) and "." not in name]


def module_name(name: str) -> str:
    """Return a module's name as its author knows it: without the package that represents its directory."""
    return name.partition(".")[2] or name if name.startswith(_PRIVATE) else name


def private_package(directory: Path) -> str:
    """Return the package name under which a directory's modules are imported.

    With our own name, an author's `blocks/` or `sdk/` can't hide ours. The top of the tree goes to the *end* of
    `sys.path`, so that imports between the author's own modules also work.
    """
    name = name_package(directory)
    top = directory
    while _is_package(top) and top != top.parent:
        top = top.parent
    for entry in (str(directory), str(top)):
        if entry not in sys.path:
            sys.path.append(entry)
    return name


def _is_package(directory: Path) -> bool:
    try:
        return (directory / "__init__.py").exists()
    except OSError:  # the directory may not be entered
        return False


def name_package(directory: Path) -> str:
    """Make that package if it does not exist, and return its name."""
    # The same in all processes (unlike `hash`): a module that hung one template is left out of the next by its name.
    name = f"{_PRIVATE}{zlib.crc32(os.fsencode(directory)):08x}"
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(directory)]
        sys.modules[name] = package
    return name


def run_directory(module: Module) -> None:
    """Run the `__init__.py` of a directory as the package that represents it. Only once: it may be named twice.

    Raises whatever that raises. Then the package is gone, until `name_package` makes an empty one.
    """
    present = sys.modules.get(module.name)
    if present is not None and getattr(present, "__file__", None):
        return
    file = module.file or ""
    spec = importlib.util.spec_from_file_location(
        module.name, file, submodule_search_locations=[os.path.dirname(file)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no module")
    package = importlib.util.module_from_spec(spec)
    sys.modules[module.name] = package
    try:
        spec.loader.exec_module(package)
    except BaseException:
        sys.modules.pop(module.name, None)
        raise
