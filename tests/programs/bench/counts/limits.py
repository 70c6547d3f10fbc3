"""The limits of the counted figures: read, compared, and written anew. One file, with a table for each Python."""

import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.programs.bench.counts.measuring import CPU, FIGURES

FILE: Final = Path(__file__).parent / "limits.toml"
HEAD_ROOM: Final = 1.10
"""What a limit is above the figure that it was set from: no more than what runs differ by."""
CPU_HEAD_ROOM: Final = 1.25
"""Processor time differs by more, the calibrating program notwithstanding."""
FAR_BELOW: Final = 0.7
_HEAD: Final = """\
# What one job may use, at most. Written by `make bench-counts ARGS=--set-limits`, with room above what was counted.
# Processor time is a multiple of that of a program that always does the same (calibration.py). A change that needs more
# sets the limits anew, and says in its commit what is got for it.
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure beside its limit; `limit` is `None` where there is none for this Python."""

    name: str
    value: float
    limit: float | None

    @property
    def is_above(self) -> bool:
        """Whether the limit is exceeded."""
        return self.limit is not None and self.value > self.limit

    @property
    def is_far_below(self) -> bool:
        """Whether the limit would let a rise through that is worth a word."""
        return self.limit is not None and self.value < self.limit * FAR_BELOW


def this_python() -> str:
    """Return the name of the table for the running interpreter."""
    return ".".join(platform.python_version_tuple()[:2])


def read(file: Path = FILE) -> dict[str, dict[str, float]]:
    """Return the limits by Python and figure; none where there is no file."""
    if not file.is_file():
        return {}
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {python: {name: float(limit) for name, limit in table.items()} for python, table in tables.items()}


def compare(values: Mapping[str, float], limits: Mapping[str, float]) -> list[Compared]:
    """Return each figure that was counted beside its limit."""
    return [Compared(name, values[name], limits.get(name)) for name in FIGURES if name in values]


def write(values: Mapping[str, float], python: str, file: Path = FILE) -> None:
    """Set the limits of this Python to what was counted and some room. The other tables stay."""
    limits = read(file)
    kept = limits.get(python, {})
    limits[python] = kept | {
        name: value * (CPU_HEAD_ROOM if name == CPU else HEAD_ROOM) for name, value in values.items()
    }
    text = _HEAD
    for each in sorted(limits, key=lambda name: [int(part) for part in name.split(".")]):
        text += f'\n["{each}"]\n'
        text += "".join(f'"{name}" = {limits[each][name]:.2f}\n' for name in FIGURES if name in limits[each])
    file.write_text(text, encoding="utf-8")
