"""The command line of the chaos: run the seeds, some at a time, print a line for each and a table of all."""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.programs.chaos.checks import HEARTBEAT_MARGIN_SECONDS, KINDS
from tests.programs.chaos.one_seed import HEARTBEAT_SECONDS

SEED_SECONDS: Final = 240.0
"""A seed that takes longer is killed and counts as not stopped."""
_SHOWN_VIOLATIONS: Final = 5


class Tally:
    """What all seeds came to."""

    def __init__(self) -> None:
        self.violations: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.deeds: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.longest_gap = 0.0
        self.skipped: set[str] = set()
        self.failed: list[int] = []

    def add(self, report: dict[str, Any]) -> None:
        """Add the report of one seed."""
        self.violations.update(kind for kind, _ in report["violations"])
        self.counts.update(report["counts"])
        self.deeds.update(report["deeds"])
        self.faults.update(report["faults"])
        self.longest_gap = max(self.longest_gap, report["longest_gap_seconds"])
        self.skipped |= {report["skipped"]} - {""}

    def text(self, seeds: int, seconds: float) -> str:
        """Return the table."""
        counts = self.counts
        unknowable = {
            reason: count for reason, count in counts.items() if reason.startswith("ended by the engine")
        }
        lines = [
            f"{seeds} seeds, {counts['jobs']} jobs, {counts['claims']} claims, {seconds:.0f} s",
            f"  results of the worker: {counts['success']} success, {counts['failed']} failed",
            *(f"  {reason}: {count}" for reason, count in sorted(unknowable.items())),
            f"  deeds:  {_listed(self.deeds)}",
            f"  faults: {_listed(self.faults)}",
            f"  skipped: {', '.join(sorted(self.skipped)) or 'nothing'}",
            f"  longest pause of a living worker's heartbeat: {self.longest_gap:.2f} s "
            f"(interval {HEARTBEAT_SECONDS:g} s, at most {HEARTBEAT_SECONDS + HEARTBEAT_MARGIN_SECONDS:g} s)",
            "",
            *(f"  {kind:<17} {self.violations[kind]:>4}" for kind in KINDS),
        ]
        return "\n".join(lines)


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "none"


async def _run_seed(seed: int, jobs: int, directory: Path, tally: Tally) -> None:
    directory.mkdir()
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.programs.chaos.one_seed",
        "--seed", str(seed), "--jobs", str(jobs), "--directory", str(directory),
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SEED_SECONDS):
            code = await process.wait()
    except TimeoutError:
        code = -1
    finally:
        if process.returncode is None:
            await _stop(process)
    report = _report(directory, f"the seed's program ended with {code}" if code else "")
    tally.add(report)
    if report["violations"]:
        tally.failed.append(seed)
    else:
        shutil.rmtree(directory)
    _print_line(seed, report, time.monotonic() - begun)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Let it clean up, and kill it when that takes too long."""
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


def _report(directory: Path, problem: str) -> dict[str, Any]:
    file = directory / "report.json"
    empty: dict[str, Any] = {
        "counts": {},
        "deeds": {},
        "faults": {},
        "longest_gap_seconds": 0.0,
        "skipped": "",
    }
    report = {**empty, "violations": [], **(json.loads(file.read_text()) if file.exists() else {})}
    if problem or not file.exists():
        report["violations"].append(("not stopped", problem or "no report"))
    return report


def _print_line(seed: int, report: dict[str, Any], seconds: float) -> None:
    counts = Counter(report["counts"])
    ended = sum(count for reason, count in counts.items() if reason.startswith("ended by the engine"))
    print(
        f"seed {seed:>4}: {'ok ' if not report['violations'] else 'BAD'} {counts['jobs']:>3} jobs, "
        f"{counts['success']:>3} success, {counts['failed']:>3} failed, {ended:>2} unknowable, "
        f"{sum(report['deeds'].values()):>2} deeds, {sum(report['faults'].values()):>3} faults, "
        f"heartbeat {report['longest_gap_seconds']:.2f} s, {seconds:.0f} s",
        flush=True,
    )
    for kind, text in report["violations"][:_SHOWN_VIOLATIONS]:
        print(f"    {kind}: {text}", flush=True)


async def _run(seeds: list[int], jobs: int, at_once: int, directory: Path, tally: Tally) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    slots = asyncio.Semaphore(at_once)

    async def one(seed: int) -> None:
        async with slots:
            await _run_seed(seed, jobs, directory / f"seed-{seed}", tally)

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            group.create_task(one(seed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.programs.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds (default 20)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--seed", type=int, help="run only this seed, and keep its directory")
    parser.add_argument("--jobs", type=int, default=50, help="jobs in each seed (default 50)")
    parser.add_argument(
        "--at-once",
        type=int,
        default=os.cpu_count() or 1,
        help="seeds at a time (default: one for each core)",
    )
    return parser


def main() -> int:
    """Run the chaos. Returns 0 when no invariant was violated, 1 when one was, 130 when interrupted."""
    arguments = _parser().parse_args()
    only = arguments.seed
    seeds = [only] if only is not None else list(range(arguments.first, arguments.first + arguments.seeds))
    directory = Path(tempfile.mkdtemp(prefix="neops-chaos-")).resolve()
    tally, begun = Tally(), time.monotonic()
    try:
        asyncio.run(_run(seeds, arguments.jobs, arguments.at_once, directory, tally))
    except asyncio.CancelledError:
        shutil.rmtree(directory, ignore_errors=True)
        print("chaos: interrupted; everything it had started is gone.", file=sys.stderr)
        return 130
    print(f"\n{tally.text(len(seeds), time.monotonic() - begun)}")
    if tally.failed:
        print(f"\nThe logs of seed {', '.join(map(str, sorted(tally.failed)))} are in {directory}.")
        print(f"Once more: make chaos SEED={min(tally.failed)}")
    else:
        shutil.rmtree(directory)
    return 1 if tally.violations.total() else 0


if __name__ == "__main__":
    sys.exit(main())
