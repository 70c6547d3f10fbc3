"""Texts of modules outside of a source, to follow names into them. They are read; nothing is imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Collection, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from jobrunner.discovery.source_text import read_text
from jobrunner.discovery.top_level import Text

_OURS: Final = frozenset({"neops-supervisor", "neops-worker-sdk"})
"""The distributions that contain an SDK."""

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_HEADER_OF_A_NAME: Final = re.compile(
    r"^(name|requires-dist):\s*([a-z0-9._-]+)", re.IGNORECASE | re.MULTILINE
)


class Elsewhere:
    """The packages into which names are followed, and their texts.

    These are the packages that an author has beside the source (for example on PYTHONPATH), and the packages of each
    installed distribution that requires an SDK, itself or through another such distribution. No other package can have
    wrapped the SDK, and it would take long to read everything that is installed.
    """

    def __init__(self, directory: Path | None, *further: str) -> None:
        self._directory = directory
        self._further = further

    @cached_property
    def packages(self) -> frozenset[str]:
        """The names of the packages. If everything is imported, nobody asks, and the installed ones are not read."""
        return frozenset({*self._further, *_beside(self._directory), *_requiring_an_sdk()})

    def text_of(self, name: str) -> Text | None:
        """Return the text of a module, or `None` if there is none to read."""
        package, *parts = name.split(".")
        if package not in self.packages:
            return None
        try:
            spec = importlib.util.find_spec(package)  # for a name without a dot, this imports nothing
        except (ImportError, ValueError, AttributeError):
            return None
        if spec is None:
            return None
        if spec.submodule_search_locations is None:
            return _text_at(name, Path(spec.origin), is_package=False) if spec.origin and not parts else None
        for location in spec.submodule_search_locations:
            if (text := _text_below(name, Path(location, *parts))) is not None:
                return text
        return None


def _text_below(name: str, path: Path) -> Text | None:
    if path.is_dir():
        init = path / "__init__.py"
        return _text_at(name, init, is_package=True) if init.exists() else Text(name, b"", True, str(path))
    return _text_at(name, path.with_name(f"{path.name}.py"), is_package=False)


def _text_at(name: str, file: Path, *, is_package: bool) -> Text | None:
    source = read_text(file)
    return Text(name, source, is_package, str(file)) if isinstance(source, bytes) else None


def _beside(directory: Path | None) -> Iterator[str]:
    """Yield the names that can be imported from `sys.path`, without installed packages and without `directory`."""
    library = Path(importlib.util.__file__).parent.parent
    for entry in map(Path, sys.path):
        if entry in (directory, library, library / "lib-dynload") or _INSTALLED.intersection(entry.parts):
            continue
        try:
            names = [each.removesuffix(".py") for each in os.listdir(entry)]
        except OSError:
            continue  # an archive, or a directory that is missing or may not be read
        yield from (name for name in names if name.isidentifier())


@cache
def _requiring_an_sdk() -> frozenset[str]:
    required: dict[str, set[str]] = {}
    for distribution in importlib.metadata.distributions():
        try:
            name, needs = name_and_needs_of(distribution)
            required[_normal(name)] = set(map(_normal, needs))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a distribution that is half removed
    known = set(_OURS)
    while new := {name for name, needs in required.items() if name not in known and known & needs}:
        known |= new
    return frozenset(_packages_of(known - _OURS))


def name_and_needs_of(distribution: importlib.metadata.Distribution) -> tuple[str, list[str]]:
    """Return the name of a distribution, and of all that it may require. Raises `KeyError` if it has no name."""
    text = distribution.read_text("METADATA")
    if not text:  # installed as an egg, years ago
        needs = [found[0] for each in distribution.requires or () if (found := _NAME.match(each))]
        return distribution.metadata["Name"], needs
    # Not by `distribution.metadata`: that parses each description twice, with a parser for mails. It takes half a
    # millisecond for each installed distribution, and every start waits for it.
    headers = _HEADER_OF_A_NAME.findall(text.partition("\n\n")[0])
    names = [value for header, value in headers if header.lower() == "name"]
    if not names:
        raise KeyError("Name")
    return names[0], [value for header, value in headers if header.lower() != "name"]


def _packages_of(names: Collection[str]) -> Iterator[str]:
    for name in names:
        yield name.replace("-", "_")
        distribution = importlib.metadata.distribution(name)
        yield from (distribution.read_text("top_level.txt") or "").split()
        for file in distribution.files or ():
            yield file.parts[0].removesuffix(".py")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
