"""The tables of the comparison with others: figures, and what each worker makes of blocks that go wrong."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.programs.bench.competitors.behaviour import ACTS
from tests.programs.bench.competitors.speed import Speed
from tests.programs.bench.competitors.workers import Competitor

ACT_NAMES: Final = {
    "hang": "a block hangs",
    "crash": "a block crashes (SIGSEGV)",
    "leave_process": "a block leaves a process",
    "leave_state": "a block leaves state in its module",
}
assert tuple(ACT_NAMES) == ACTS

Rows = list[tuple[str, ...]]


def speed_rows(workers: Sequence[Competitor], speeds: Mapping[str, Speed]) -> Rows:
    """Return head and rows: one worker each; where one could not be had, the reason."""
    rows: Rows = [("worker", "p50 ms", "p99 ms", "jobs/s, 8 slots", "CPU ms per job", "memory MB")]
    for worker in workers:
        speed = speeds.get(worker.key)
        if speed is None or not speed.jobs:
            rows.append((worker.name, worker.missing or "not measured", "", "", "", ""))
            continue
        memory = "-" if speed.memory_mb is None else f"{speed.memory_mb:.0f}"
        latency = (f"{seconds * 1000:.1f}" for seconds in (speed.latency.p50, speed.latency.p99))
        rows.append(
            (worker.name, *latency, f"{speed.jobs_per_second:.1f}", f"{speed.cpu_ms_per_job:.1f}", memory)
        )
    return rows


def behaviour_rows(workers: Sequence[Competitor], seen: Mapping[str, Mapping[str, str]]) -> Rows:
    """Return head and rows: one act each, with what became of it for every worker that was tried."""
    tried = [worker for worker in workers if worker.key in seen]
    rows: Rows = [("", *(worker.name for worker in tried))]
    rows += [
        (name, *(seen[worker.key].get(act, "not tried") for worker in tried))
        for act, name in ACT_NAMES.items()
    ]
    return rows


def as_text(rows: Rows) -> str:
    """Return rows as lines of columns, the first one as the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)
