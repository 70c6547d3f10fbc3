"""The table of a comparison: both medians, the paired ratio and its interval, and in words what they mean."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.programs.bench.against.signedrank import PairedRatio, fewest_pairs, level_of_each, paired_ratio

FAMILY_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Comparable:
    """A figure that is compared. `key` is its name among the values of a pair."""

    key: str
    name: str
    unit: str
    more_is_better: bool = False


FIGURES: Final = (
    Comparable("start", "start → first poll", "ms"),
    Comparable("memory", "idle memory, one slot (PSS)", "MB"),
    Comparable("p50", "claim → result, paced, p50", "ms"),
    Comparable("p99", "claim → result, paced, p99", "ms"),
    Comparable("one by one rate", "throughput, one slot", "jobs/s", more_is_better=True),
    Comparable("one by one CPU", "  CPU per job", "ms"),
    Comparable("one by one faults", "  page faults per job", ""),
    Comparable("system calls", "  system calls per job", ""),
    Comparable("fsyncs", "  fsyncs per job", ""),
    Comparable("burst rate", "burst throughput, 8 slots", "jobs/s", more_is_better=True),
    Comparable("burst CPU", "  CPU per job", "ms"),
    Comparable("burst faults", "  page faults per job", ""),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of both versions, over all pairs."""

    figure: Comparable
    against: float
    present: float
    ratio: PairedRatio | None

    @property
    def verdict(self) -> str:
        """What the interval says: nothing, unless it leaves 1 out."""
        if self.ratio is None or self.ratio.interval is None:
            return "?"
        interval = self.ratio.interval
        if interval.contains(1):
            return "same"
        return "better" if (interval.low > 1) == self.figure.more_is_better else "WORSE"


def compare(pairs: Sequence[tuple[dict[str, float], dict[str, float]]]) -> list[Compared]:
    """Compare every figure that each pair has, at the level that lets all hold together."""
    measured = [
        figure for figure in FIGURES if all(figure.key in values for pair in pairs for values in pair)
    ]
    level = level_of_each(FAMILY_LEVEL, len(measured))
    compared: list[Compared] = []
    for figure in measured:
        values = [(against[figure.key], present[figure.key]) for against, present in pairs]
        medians = [statistics.median(column) for column in zip(*values, strict=True)]
        compared.append(Compared(figure, medians[0], medians[1], paired_ratio(values, level)))
    return compared


def table(against: str, compared: Sequence[Compared]) -> str:
    """Return a line for each figure; at most 100 columns."""
    rows = [("figure", against, "present", "unit", "ratio", "interval", ""), *map(_row, compared)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            f"{cell:<{width}}" if column in {0, 3, 6} else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths).rstrip())
    return "\n".join(lines)


def explanation(pairs: int, figures: int) -> str:
    """Return how to read the table."""
    level = level_of_each(FAMILY_LEVEL, figures)
    text = (
        "The ratio is present ÷ other, by pairs of runs; below 1, the present version has less of it.\n"
        f"All {figures} intervals together hold the true ratios with at least {FAMILY_LEVEL:.0%} probability "
        f"({level:.2%} each):\nof twenty comparisons of two equal versions, at most one shows a difference anywhere.\n"
        "(Signed ranks of the pairs, levels by Bonferroni: nothing is assumed of how the noise is spread.)\n"
        "same: the interval contains 1, so no difference was seen. Others: it is more than chance."
    )
    if pairs < (needed := fewest_pairs(level)):
        text += f"\n{pairs} pairs are too few for that, so there are no intervals: it takes {needed}."
    return text


def _row(compared: Compared) -> tuple[str, ...]:
    figure, ratio = compared.figure, compared.ratio
    interval = None if ratio is None else ratio.interval
    return (
        figure.name,
        _text(compared.against),
        _text(compared.present),
        figure.unit,
        "-" if ratio is None else f"{ratio.estimate:.3f}",
        "-" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}",
        compared.verdict,
    )


def _text(value: float) -> str:
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2
    return f"{value:.{digits}f}"
