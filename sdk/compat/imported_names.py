"""Names that a module of `neops_worker_sdk` has only because it imports them: editors complete imports so."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_LIST: Final = Path(__file__).with_name("imported_names.txt")
"""Of the package's 0.2.0b7, one module and home a line: `module < home: names`. A home with a dot is below the
package."""


@cache
def imported_names() -> Mapping[str, str]:
    """Return the module that each such name comes from, by its dotted name below the package."""
    found: dict[str, str] = {}
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        place, _, names = line.partition(": ")
        module, _, home = place.partition(" < ")
        found.update({f"{module}.{name}": home for name in names.split()})
    return found
