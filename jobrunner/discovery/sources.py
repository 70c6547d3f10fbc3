"""Where function blocks may be: directories, single files, importable modules, entry points."""

import ast
import importlib.metadata
import importlib.util
import pkgutil
import sys
import types
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jobrunner.errors import SourceError

ENTRY_POINTS: Final = "entry-points"
"""The source that stands for every installed package with blocks."""

ENTRY_POINT_GROUP: Final = "neops.function_blocks"

_PRIVATE: Final = "_neops_directory_"
_SKIPPED_DIRECTORIES: Final = frozenset(
    {"__pycache__", "tests", "test", "testing", "site-packages", "node_modules"}
)
"""Where nobody puts blocks. An environment below an author's directory has thousands of modules in site-packages."""

_NAMED_ONLY_MARK: Final = "__neops_named_only__"


@dataclass(frozen=True, slots=True)
class Module:
    """A module to import: its name for the import system, and its file for people."""

    name: str
    file: str | None

    @property
    def is_an_authors(self) -> bool:
        """Whether it comes from a directory or a file, and not from something that was installed."""
        return self.name.startswith(_PRIVATE)


def private_packages() -> list[str]:
    """Return the names of the packages under which directories were imported here."""
    return [name for name in sys.modules if name.startswith(_PRIVATE) and "." not in name]


def module_name(name: str) -> str:
    """Return a module's name as its author knows it: without the package that stands for its directory."""
    return name.partition(".")[2] or name if name.startswith(_PRIVATE) else name


def modules_of(source: str) -> Iterator[Module]:
    """Yield the modules of one source, in a stable order.

    A module that sets ``__neops_named_only__ = True`` (it is dangerous, or misbehaves on purpose) is yielded only
    where the source names it or its package. So are the modules of a package whose ``__init__.py`` sets it. Raises
    `SourceError` when there is nothing at that place.
    """
    if source == ENTRY_POINTS:
        for entry_point in sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)):
            yield from _importable(entry_point.value.partition(":")[0])
    elif "/" in source or source.endswith(".py") or Path(source).is_dir():
        yield from _on_disk(source)
    else:
        yield from _importable(source)


def _importable(name: str) -> Iterator[Module]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:
        raise SourceError(name, f"can't be looked up: {error}") from error
    if spec is None:
        raise SourceError(
            name, "is neither a directory, nor a .py file, nor a module that can be imported here"
        )
    if spec.submodule_search_locations is None:
        yield Module(name, spec.origin)
        return
    yield from _package(name, list(spec.submodule_search_locations), name)


def _package(name: str, locations: list[str], named: str) -> Iterator[Module]:
    for info in sorted(pkgutil.iter_modules(locations), key=lambda info: info.name):
        child = f"{name}.{info.name}"
        path = Path(getattr(info.module_finder, "path", "")) / info.name
        if info.ispkg:
            if info.name not in _SKIPPED_DIRECTORIES and _is_wanted(path / "__init__.py", named=False):
                yield from _package(child, [str(path)], named)
            continue
        file = path.with_suffix(".py")
        if _is_wanted(file, named=_is_reached_by_name(child, named)):
            yield Module(child, str(file))


def _is_reached_by_name(module: str, named: str) -> bool:
    # `blocks.testing` names the testing blocks; `blocks` alone does not.
    return _SKIPPED_DIRECTORIES.intersection(named.split(".")) != set() and module.startswith(named)


def _on_disk(source: str) -> Iterator[Module]:
    path = Path(source).expanduser().resolve()
    if path.is_dir():
        package = _private_package(path)
        for file in sorted(path.rglob("*.py")):
            relative = file.relative_to(path)
            if _is_block_file(relative) and _is_wanted_below(path, file):
                yield Module(".".join((package, *relative.with_suffix("").parts)), str(file))
    elif path.is_file():
        yield Module(f"{_private_package(path.parent)}.{path.stem}", str(path))
    else:
        raise SourceError(
            source, "does not exist; give a directory of function blocks, a .py file or a module name"
        )


def _is_wanted_below(directory: Path, file: Path) -> bool:
    named = directory.name in _SKIPPED_DIRECTORIES
    packages = file.relative_to(directory).parents
    return _is_wanted(file, named=named) and all(
        _is_wanted(directory / package / "__init__.py", named=named) for package in packages if package.name
    )


def _is_block_file(relative: Path) -> bool:
    hidden = any(part.startswith(".") or part in _SKIPPED_DIRECTORIES for part in relative.parts[:-1])
    name = relative.name
    return not (hidden or name in {"__init__.py", "conftest.py"} or name.startswith(("test_", ".")))


def _private_package(directory: Path) -> str:
    """Return the package name under which a directory's modules are imported.

    A name of our own keeps an author's `blocks/` or `sdk/` from standing in front of ours. The top of the tree
    goes to the *end* of `sys.path`, so that imports between the author's own modules work as well.
    """
    # Stable between processes (unlike `hash`): a module that hung one template is left out of the next by its name.
    name = f"{_PRIVATE}{zlib.crc32(str(directory).encode()):08x}"
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(directory)]
        sys.modules[name] = package
    top = directory
    while (top / "__init__.py").exists() and top != top.parent:
        top = top.parent
    for entry in (str(directory), str(top)):
        if entry not in sys.path:
            sys.path.append(entry)
    return name


def _is_wanted(file: Path, *, named: bool) -> bool:
    if named:
        return True
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True  # importing it will say what is wrong with it
    # Read, not imported: a module that must be named may do harm by its import alone.
    return not (_NAMED_ONLY_MARK in text and _sets_mark(text))


def _sets_mark(text: str) -> bool:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return False
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == _NAMED_ONLY_MARK for target in node.targets)
        and isinstance(node.value, ast.Constant)
        and node.value.value is True
        for node in tree.body
    )
