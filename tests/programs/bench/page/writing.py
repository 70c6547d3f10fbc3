"""The page and its pictures, made of what was measured and of nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.programs.bench.figures import Figure, Target, cells
from tests.programs.bench.page.plots import Bar, picture

Measured = Mapping[str, Any]

_TEMPLATE: Final = Path(__file__).parent / "benchmarks.md.in"
"""The words of the page; `@name@` stands where a table goes."""


LITTLE: Final = "little"
_NOTE: Final = (
    "Short runs, on a machine that had other things to do: the figures show the form of this page, not what a job "
    "costs.\n"
)
NOT_MEASURED: Final = "Not measured yet.\n"


def page(measured: Measured) -> str:
    """Return the text of the page."""
    tables = dict.fromkeys(("speed", "behaviour", "timeline", "floor", "growth", "counts"), NOT_MEASURED)
    if others := measured.get("competitors"):
        tables |= {"speed": _table(others["speed"], numbers_from=1), "behaviour": _table(others["behaviour"])}
    if growth := measured.get("growth"):
        rows = [("", "measured", "target", "met"), *map(_growth_row, growth["figures"])]
        tables["growth"] = _table(rows, numbers_from=1)
    if timeline := measured.get("timeline"):
        tables["timeline"] = _table(_timeline_rows(timeline["steps"]), numbers_from=1)
    if floor := measured.get("floor"):
        tables["floor"] = _table(_floor_rows(floor["rows"]), numbers_from=1)
    if counts := measured.get("counts"):
        tables["counts"] = _table(_count_rows(counts), numbers_from=1)
    is_little = any(part["machine"].get("how much") == LITTLE for part in measured.values())
    tables["note"] = f"**{_NOTE.strip()}**\n\n" if is_little else ""
    tables["machine"] = _table(_machine_rows(measured))
    text = _TEMPLATE.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = text.replace(f"@{name}@", table)
    return text


def pictures(measured: Measured) -> dict[str, str]:
    """Return the pictures by the names of their files."""
    timeline, others = measured.get("timeline"), measured.get("competitors")
    steps = [step for step in timeline["steps"] if step["share"] is not None] if timeline else []
    bars = [
        Bar(
            step["name"],
            max(0.0, step["after_claim_ms"] - step["step_ms"]),
            step["after_claim_ms"],
            f"{step['step_ms']:.2f} ms",
        )
        for step in steps
    ]
    rows = [row for row in others["speed"][1:] if row[4]] if others else []
    cpu = [Bar(row[0], 0.0, float(row[4]), f"{row[4]} ms", number == 0) for number, row in enumerate(rows)]
    return {
        "benchmarks-timeline.svg": picture("One job, from the claim to the accepted result", bars),
        "benchmarks-cpu.svg": picture("Processor time per job, all processes of the worker", cpu),
    }


def _timeline_rows(steps: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("step", "after the claim, ms", "step, ms", "p90, ms", "share")]
    for step in steps:
        times = (f"{step[name]:.2f}" for name in ("after_claim_ms", "step_ms", "p90_step_ms"))
        share = step["share"]
        rows.append((step["name"], *times, "" if share is None else f"{share:.0%}"))
    return rows


def _floor_rows(floor: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("of one job", "wall, ms", "CPU, ms", "page faults")]
    for row in floor:
        wall = "" if row["wall_ms"] is None else f"{row['wall_ms']:.2f}"
        rows.append((row["name"], wall, f"{row['cpu_ms']:.2f}", f"{row['page_faults']:.0f}"))
    return rows


def _growth_row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    target = None if figure["target"] is None else Target(**figure["target"])
    name, *rest = cells(Figure(figure["name"], figure["value"], figure["unit"], target))
    # A table of Markdown has no indentation of its own.
    return "… " + name.strip() if name.startswith(" ") else name, *rest


def _count_rows(counts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("of one job", "counted", "limit")]
    for one in counts["compared"]:
        limit = "" if one["limit"] is None else f"{one['limit']:.2f}"
        rows.append((one["name"], f"{one['value']:.2f}", limit))
    rows.append(("processor time in ms", f"{counts['cpu_ms']:.1f}", ""))
    return rows


def _machine_rows(measured: Measured) -> list[tuple[str, ...]]:
    """Return the facts of each part, side by side: they may have been measured at different times."""
    facts = {name: part["machine"] for name, part in measured.items()}
    names = list(dict.fromkeys(name for part in facts.values() for name in part))
    rows = [tuple(str(part.get(name, "")) for part in facts.values()) for name in names]
    return [("", *facts), *((name, *row) for name, row in zip(names, rows, strict=True))]


def _table(rows: Sequence[Sequence[str]], numbers_from: int | None = None) -> str:
    """Return rows as a table of Markdown; columns from `numbers_from` on are set to the right."""
    head, *body = rows
    right = len(head) if numbers_from is None else numbers_from
    rule = ["---:" if column >= right else "---" for column in range(len(head))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rule, *body))
