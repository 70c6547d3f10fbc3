"""A module that may be imported, and the package that stands for an author's directory."""

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
        """Whether it comes from a directory or a file, and not from something that was installed."""
        return self.name.startswith(_PRIVATE)

    @property
    def can_be_named(self) -> bool:
        """Whether name and file are text that UTF-8 holds: else nobody can be told of it as it is."""
        return is_encodable(self.name) and is_encodable(self.file or "")


def private_packages() -> list[str]:
    """Return the names of the packages under which directories were imported here."""
    return [name for name in sys.modules if name.startswith(_PRIVATE) and "." not in name]


def module_name(name: str) -> str:
    """Return a module's name as its author knows it: without the package that stands for its directory."""
    return name.partition(".")[2] or name if name.startswith(_PRIVATE) else name


def private_package(directory: Path) -> str:
    """Return the package name under which a directory's modules are imported.

    A name of our own keeps an author's `blocks/` or `sdk/` from standing in front of ours. The top of the tree
    goes to the *end* of `sys.path`, so that imports between the author's own modules work as well.
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
    except OSError:  # it may not be entered
        return False


def name_package(directory: Path) -> str:
    """Make that package, if it is not there, and return its name."""
    # Stable between processes (unlike `hash`): a module that hung one template is left out of the next by its name.
    name = f"{_PRIVATE}{zlib.crc32(os.fsencode(directory)):08x}"
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(directory)]
        sys.modules[name] = package
    return name
