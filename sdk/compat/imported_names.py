"""Names that a module of `neops_worker_sdk` has only because it imports them: editors suggest such imports."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_LIST: Final = Path(__file__).with_name("imported_names.txt")
"""For version 0.2.0b7 of the package, one module and home in a line: `module < home: names`. A home with a dot is below
the package."""


@cache
def imported_names() -> Mapping[str, str]:
    """Return, for each such name below the package (dotted), the module that it comes from."""
    found: dict[str, str] = {}
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        place, _, names = line.partition(": ")
        module, _, home = place.partition(" < ")
        found.update({f"{module}.{name}": home for name in names.split()})
    return found
