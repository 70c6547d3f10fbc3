"""Where function blocks may be: directories, single files, importable modules, entry points."""

import importlib.metadata
import importlib.util
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jobrunner.discovery.elsewhere import Elsewhere
from jobrunner.discovery.module import Module, private_package
from jobrunner.discovery.module_choice import Candidate, Found, choose
from jobrunner.errors import DottedNameError, SourceError, UnreadableNameError, UnusableNameError
from jobrunner.protocol.entry import ENTRY_POINT_GROUP, ENTRY_POINTS

_SKIPPED_DIRECTORIES: Final = frozenset(
    {"__pycache__", "tests", "test", "testing", "site-packages", "node_modules"}
)
"""Folders in which nobody puts blocks. An environment below an author's directory has thousands of modules there."""


_HIDDEN: Final = (
    "the directory {}/ beside it is a package of the same name, which Python imports in its place"
)


def modules_of(source: str, *, import_all: bool = False) -> Found:
    """Return the modules of one source, in a stable order: which to import, which not, and why.

    A module that the source itself names is imported. Below a directory or a package, only modules are imported whose
    text registers something at its top level (`jobrunner.discovery.judgement`), or all with `import_all`; before them
    comes the directory's own `__init__.py`. A module that sets `__neops_named_only__ = True` (it is dangerous, or
    misbehaves on purpose) is found only if the source names it or its package. The same is true for the modules of a
    package whose `__init__.py` sets it. A module whose path is not UTF-8, or has a dot in a name, is never imported.
    Raises `SourceError` if there is nothing at that place.
    """
    found = _found(source, import_all)
    unusable = {module: error for module in found.modules if (error := _error_of_name(module)) is not None}
    usable = tuple(module for module in found.modules if module not in unusable)
    return Found(usable, found.left_out, (*found.broken, *unusable.items()))


def _error_of_name(module: Module) -> UnusableNameError | None:
    if not module.can_be_named:
        return UnreadableNameError()
    return None if module.leads_to_its_file else DottedNameError()


def _found(source: str, import_all: bool) -> Found:
    if source == ENTRY_POINTS:
        entry_points = sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP))
        return Found.of(_behind(each.value.partition(":")[0], import_all) for each in entry_points)
    if "/" in source or source.endswith(".py") or Path(source).is_dir():
        return _on_disk(source, import_all)
    return _importable(source, import_all)


def _behind(name: str, import_all: bool) -> Found:
    try:
        return _importable(name, import_all)
    except SourceError as error:  # one package is missing; the others may exist
        return Found(broken=((Module(ENTRY_POINTS, None), error),))


def _importable(name: str, import_all: bool) -> Found:
    try:
        spec = importlib.util.find_spec(name)
    except BaseException as error:  # to look into a package, Python imports it, and that may raise anything
        raise SourceError(name, f"can't be looked up: {type(error).__name__}: {error}") from error
    if spec is None:
        raise SourceError(
            name, "is neither a directory, nor a .py file, nor a module that can be imported here"
        )
    itself = Found(modules=(Module(name, spec.origin),))
    if spec.submodule_search_locations is None:
        return itself
    below = list(_package(name, list(spec.submodule_search_locations), name))
    # A name may lead out of the named package, into any other package below the same top.
    elsewhere = Elsewhere(None, name.partition(".")[0])
    return Found.of([itself, choose(below, elsewhere, import_all=import_all, parse_all=True)])


def _package(name: str, locations: list[str], named: str) -> Iterator[Candidate]:
    for info in sorted(pkgutil.iter_modules(locations), key=lambda info: info.name):
        child = f"{name}.{info.name}"
        path = Path(getattr(info.module_finder, "path", "")) / info.name
        if not info.ispkg:
            file = path.with_suffix(".py")
            yield Candidate(child, Module(child, str(file)), is_named=_is_reached_by_name(child, named))
        elif info.name not in _SKIPPED_DIRECTORIES:
            yield Candidate(child, Module(child, str(path / "__init__.py")), is_package=True)
            yield from _package(child, [str(path)], named)


def _is_reached_by_name(module: str, named: str) -> bool:
    # `blocks.testing` names the testing blocks; `blocks` alone does not.
    return _SKIPPED_DIRECTORIES.intersection(named.split(".")) != set() and module.startswith(named)


def _on_disk(source: str, import_all: bool) -> Found:
    try:
        path = Path(source).expanduser().resolve()
        # In Python 3.13, `resolve` does not report links in a circle.
        path.stat()
    except FileNotFoundError:
        raise SourceError(
            source, "does not exist; give a directory of function blocks, a .py file or a module name"
        ) from None
    except (OSError, RuntimeError) as error:  # links in a circle, no permission, or no such home
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise SourceError(source, f"can't be looked at: {reason}; mend it, or name another place") from None
    if path.is_dir():
        package = private_package(path)
        below, hidden = _as_python_chooses(list(_directory(path, package)))
        # Blocks are not searched in these, but a name may come from them.
        beside = [name for name in _SKIPPED_DIRECTORIES if (path / name).is_dir()]
        return Found.of([choose(below, Elsewhere(path, *beside), import_all=import_all), hidden])
    if path.is_file():
        return Found(modules=(Module(f"{private_package(path.parent)}.{path.stem}", str(path)),))
    raise SourceError(
        source, "is neither a directory nor a file; give a directory of function blocks or a .py file"
    )


def _directory(path: Path, package: str) -> Iterator[Candidate]:
    is_named = path.name in _SKIPPED_DIRECTORIES
    top = path / "__init__.py"
    # It runs before everything else in the directory, as in any import of a package.
    for file in sorted(path.rglob("*.py"), key=lambda file: (file != top, file)):
        relative = file.relative_to(path)
        if not _is_block_file(relative) or _is_directory(file):
            continue
        is_package = file.name == "__init__.py"
        parts = relative.parent.parts if is_package else relative.with_suffix("").parts
        module = Module(".".join((package, *parts)), str(file))
        yield Candidate(".".join(parts), module, is_package, is_named or file == top)


def _as_python_chooses(candidates: list[Candidate]) -> tuple[list[Candidate], Found]:
    """Return what an import can reach; and as left out, the files that a package of the same name hides from it."""
    packages = {each.local for each in candidates if each.is_package}
    hidden = [each for each in candidates if not each.is_package and each.local in packages]
    left_out = tuple((each.module, _HIDDEN.format(Path(each.local).name)) for each in hidden)
    return [each for each in candidates if each not in hidden], Found(left_out=left_out)


def _is_directory(path: Path) -> bool:
    """Whether it is a directory. If nobody can look at it, it counts as a file that can't be read."""
    try:
        return path.is_dir()
    except OSError:  # a directory that may be listed but not entered, or a network disk that is gone
        return False


def _is_block_file(relative: Path) -> bool:
    hidden = any(part.startswith(".") or part in _SKIPPED_DIRECTORIES for part in relative.parts[:-1])
    name = relative.name
    return not (hidden or name == "conftest.py" or name.startswith(("test_", ".")))
