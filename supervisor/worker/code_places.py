"""Where the code of jobs is: interpreter, packages, blocks. It imports none of it."""

import importlib.metadata
import importlib.util
import os
import site
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobrunner.protocol.entry import ENTRY_POINT_GROUP, ENTRY_POINTS


def interpreter_places() -> list[str]:
    """Return the paths of the interpreter and of its module directories, also those that do not exist yet."""
    found = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, sys.executable, *sys.path]
    found.append(str(Path(__file__).parents[2]))
    if sys.pycache_prefix is not None:
        found.append(sys.pycache_prefix)
    if site.ENABLE_USER_SITE:
        # If it does not exist, whoever makes it gets code into every interpreter of this user (usercustomize).
        found.append(site.getusersitepackages())
    return [os.path.abspath(place) for place in found]


def block_places(sources: Iterable[str]) -> list[str]:
    """Return the paths of the blocks' code, for the sources in `--function-blocks`."""
    return [place for source in sources for place in _places_of(source)]


def _places_of(source: str) -> Iterator[str]:
    if source == ENTRY_POINTS:
        for entry_point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
            yield from _importable(entry_point.value)
    elif "/" in source or source.endswith(".py") or os.path.isdir(source):
        yield from _on_disk(os.path.abspath(os.path.expanduser(source)))
    else:
        yield from _importable(source)


def _on_disk(path: str) -> Iterator[str]:
    if top := top_of_package(path if os.path.isdir(path) else os.path.dirname(path)):
        yield top
        return
    yield path
    if not os.path.isdir(path):
        # Python runs the compiled file.
        yield os.path.join(os.path.dirname(path), "__pycache__")


def top_of_package(directory: str) -> str | None:
    """Return the uppermost package that contains `directory`, `None` if it is not in a package.

    The modules in it may import from there.
    """
    top = None
    while os.path.exists(os.path.join(directory, "__init__.py")) and directory != "/":
        top, directory = directory, os.path.dirname(directory)
    return top


def _importable(name: str) -> Iterator[str]:
    # Only the uppermost package: to look inside, Python would import it.
    try:
        spec = importlib.util.find_spec(name.partition(":")[0].partition(".")[0])
    except (ImportError, ValueError):
        return
    if spec is None:
        return
    if spec.submodule_search_locations:
        yield from map(os.path.abspath, spec.submodule_search_locations)
    elif spec.origin and os.path.isabs(spec.origin):
        yield from _on_disk(spec.origin)
