"""A figure with its target, and the table of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.programs.bench.distribution import Distribution


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure: at most `limit`, or at least, where `at_least` is true."""

    limit: float
    at_least: bool = False

    def is_met_by(self, value: float) -> bool:
        """Whether `value` is within the bound."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. Without a target it is there to judge the others by."""

    name: str
    value: float
    unit: str
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; `None` where there is none."""
        return None if self.target is None else self.target.is_met_by(self.value)


def milliseconds(
    name: str, measured: Distribution, *, targets: dict[str, float] | None = None, parts: Sequence[str]
) -> list[Figure]:
    """Return one figure for each of `parts`, the names of percentiles; `targets` are upper bounds in ms."""
    bounds = {part: Target(limit) for part, limit in (targets or {}).items()}
    return [
        Figure(f"{name}, {part}", getattr(measured, part) * 1000, "ms", bounds.get(part)) for part in parts
    ]


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of columns: figure, measured, target, met."""
    rows = [("figure", "measured", "target", "met"), *map(cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    name, measured, target, met = widths
    lines = [f"{row[0]:<{name}}  {row[1]:>{measured}}  {row[2]:>{target}}  {row[3]:<{met}}" for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def cells(figure: Figure) -> tuple[str, str, str, str]:
    """Return the cells of a figure's line: its name, what was measured, the target, and whether that is met."""
    target = ""
    if figure.target is not None:
        target = f"{'≥' if figure.target.at_least else '≤'} {_text(figure.target.limit, figure.unit)}"
    met = {None: "", True: "yes", False: "NO"}[figure.met]
    return figure.name, _text(figure.value, figure.unit), target, met


def _text(value: float, unit: str) -> str:
    digits = 0 if value == int(value) or value >= 1000 else 1 if value >= 100 else 2 if value >= 1 else 3
    return f"{value:.{digits}f} {unit}".rstrip()
