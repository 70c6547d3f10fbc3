"""Which files are worth parsing: those that name the SDK, or a module that does. Pure.

Parsing is expensive: about a second for two thousand files. A file that imports neither the SDK nor a module that leads
to it can't register anything. The words of its imports alone show that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from jobrunner.discovery.top_level import Text

_WORD = re.compile(r"\w+")
_FROM_PACKAGE = re.compile(r"from[\s.]*import")


def worth_parsing(texts: Mapping[str, Text], seeds: Collection[str]) -> set[str]:
    """Return the modules that may lead to `seeds`, the names of packages. It rather returns too many than too few."""
    words = {name: words_of_imports(text) for name, text in texts.items()}
    wanted = {name for name, found in words.items() if found is None}
    needles, further = set(seeds), set(seeds)
    while further:
        new = {
            name
            for name, found in words.items()
            if name not in wanted and found is not None and not further.isdisjoint(found)
        }
        wanted |= new
        further = _parts(new) - needles
        needles |= further
    return wanted


def words_of_imports(text: Text) -> frozenset[str] | None:
    """Return the words on the lines with an import; `None` if these lines do not show which modules are imported.

    They do not for `from . import (` with the names on further lines, and for names that are not ASCII.
    """
    source = text.source.decode("latin-1").replace("\\\n", " ").replace("\\\r\n", " ")
    lines = "\n".join(line for line in source.split("\n") if "import" in line)
    of_package = _FROM_PACKAGE.search(lines)
    if not lines.isascii() or (of_package and "(" in lines):
        return None
    # An import from the package itself may give any name that its `__init__.py` has.
    packages = [text.package] if of_package else []
    if any(found.count(".") > 1 for found in _FROM_PACKAGE.findall(lines)):
        packages.append("")  # `from .. import x` may go up to the directory itself
    return frozenset(_WORD.findall(lines)) | _parts(packages)


def _parts(names: Iterable[str]) -> set[str]:
    return {part for name in names for part in name.split(".")}
