"""The command line of the soak: run the jobs, and compare the supervisor before and after."""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp

from tests.faults.cgroups import left_cgroups
from tests.faults.descriptors import descriptors
from tests.faults.programs import ACT, Engine, FaultTestError, Worker, children_of
from tests.faults.sandbox import alone, still_left
from tests.job_directories import left_by_jobs
from tests.programs.bench.figures import Figure, Target, table
from tests.traces import trace_file_in

SLOTS: Final = 8
SPARES: Final = 4
BATCH: Final = 100
MEMORY_GROWTH_MB: Final = 5.0
BATCH_SECONDS: Final = 120.0
REST_SECONDS: Final = 60.0
"""How long the worker may take to come to rest. A session holder ends when it was not used for five seconds."""
_ACTS: Final = {"echo": 80, "log": 5, "big": 5, "raise": 4, "daemons": 3, "kill_itself": 2, "Segfault": 1}
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Picture:
    """What a supervisor that is at rest looks like. `None` where this user may not look."""

    private_mb: float | None
    descriptors: Counter[str] | None
    zombies: int
    directories: int


def private_mb(pid: int) -> float | None:
    """Return the memory that is this process's alone (proc_pid_smaps(5), Private_*)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def zombies_below(pid: int) -> int:
    """Return how many direct children have ended and were not waited for."""
    count = 0
    for child in children_of(pid):
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
            count += state == "Z"
    return count


async def picture(worker: Worker, before: Picture | None = None) -> Picture:
    """Look when it has come to rest: all spares there, nothing else running, no file open for a moment only.

    What stays is in the picture: if `before` had less of it, it is looked for until the time is up.
    """
    end = time.monotonic() + REST_SECONDS
    last: Picture | None = None
    while True:
        is_last = time.monotonic() > end
        if (pid := worker.supervisor_pid) is None:
            raise FaultTestError(f"The worker has ended:\n{worker.said()[-2000:]}")
        names = Counter(worker.below_supervisor.values())
        others = names["neops-job"] + names["neops-session"]  # the latter end when they are not used
        now = Picture(private_mb(pid), descriptors(pid), zombies_below(pid), _directories(worker))
        if is_last:
            return now
        is_at_rest = names["neops-spare"] == SPARES and not others and not now.directories and not now.zombies
        is_settled = last is not None and now.descriptors == last.descriptors
        if is_at_rest and is_settled and not (before and _more_descriptors(before, now)):
            return now
        last = now
        await asyncio.sleep(_LOOK_SECONDS)


def _more_descriptors(before: Picture, after: Picture) -> int:
    if before.descriptors is None or after.descriptors is None:
        return 0
    return (after.descriptors - before.descriptors).total()


def _directories(worker: Worker) -> int:
    return len(left_by_jobs(worker.state_dir / "jobs", ahead=SPARES))


def batches(jobs: int, trace: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the submissions, `BATCH` at a time."""
    random = Random("soak")
    acts = random.choices(list(_ACTS), weights=list(_ACTS.values()), k=jobs)
    bodies = [
        {
            "block": ACT,
            "parameters": {"act": act, "word": f"word-{number}", "trace": str(trace)},
            "allowUnregistered": True,
        }
        for number, act in enumerate(acts)
    ]
    for start in range(0, jobs, BATCH):
        yield bodies[start : start + BATCH]


async def _run_batch(engine: Engine, session: aiohttp.ClientSession, bodies: list[dict[str, Any]]) -> None:
    await engine.ask(session, "POST", "/dev/jobs", bodies)
    end = time.monotonic() + BATCH_SECONDS
    while active := await engine.ask(session, "GET", "/blackboard/jobs/active"):
        if time.monotonic() > end:
            raise FaultTestError(f"{len(active)} jobs were not done within {BATCH_SECONDS:g} s.")
        await asyncio.sleep(_LOOK_SECONDS)


async def _soak(directory: Path, jobs: int) -> list[Figure]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    trace = trace_file_in(directory)
    engine = Engine(directory)
    await engine.open()
    worker = Worker(
        directory, f"http://127.0.0.1:{engine.port}", directory / "state",
        max_concurrent_jobs=SLOTS, max_job_seconds=30, grace_seconds=1, poll_seconds=0.2,
    )  # fmt: skip
    try:
        await worker.begin()
        await _ready(worker)
        async with aiohttp.ClientSession() as session:
            given = list(batches(jobs, trace))
            # Two batches and a tenth of the rest: until then caches fill, and pools open what they keep.
            warm_up = min(len(given) // 2, 2 + len(given) // 10)
            for bodies in given[:warm_up]:
                await _run_batch(engine, session, bodies)
            before, begun = await picture(worker), time.monotonic()
            for bodies in given[warm_up:]:
                await _run_batch(engine, session, bodies)
            seconds, after = time.monotonic() - begun, await picture(worker, before)
        worker.signal(signal.SIGTERM)
        code = await worker.ended()
    finally:
        await worker.kill()
        await engine.kill()
    runs = len(trace.read_text().splitlines())
    measured = sum(map(len, given[warm_up:]))
    left = [*worker.temporary.iterdir(), *(worker.state_dir / "jobs").glob("*")]
    return [
        *_figures(before, after),
        *_end_figures(jobs, runs, code, len(left)),
        Figure("cgroups left", len(left_cgroups(worker.state_dir)), "", Target(0)),
        Figure("pace", measured / seconds, "jobs/s"),
    ]


async def _ready(worker: Worker) -> None:
    if await worker.wait_for("event=worker_ready") is None:
        raise FaultTestError(f"The worker did not start:\n{worker.said()[-2000:]}")


def _figures(before: Picture, after: Picture) -> list[Figure]:
    figures = []
    if before.private_mb is not None and after.private_mb is not None:
        growth = after.private_mb - before.private_mb
        figures += [
            Figure("supervisor's private memory after the warm-up", before.private_mb, "MB"),
            Figure("  its growth until the end", growth, "MB", Target(MEMORY_GROWTH_MB)),
        ]
    if before.descriptors is not None and after.descriptors is not None:
        more = _more_descriptors(before, after)
        figures += [
            Figure("supervisor's descriptors after the warm-up", before.descriptors.total(), ""),
            Figure("  more of them at the end", more, "", Target(0)),
        ]
    return [
        *figures,
        Figure("zombies", after.zombies, "", Target(0)),
        Figure("job directories at rest", after.directories, "", Target(0)),
    ]


def _end_figures(jobs: int, runs: int, code: int, left: int) -> list[Figure]:
    return [
        Figure("jobs not run exactly once", abs(jobs - runs), "", Target(0)),
        Figure("exit code at SIGTERM", code, "", Target(0)),
        Figure("temporary files and job directories left", left, "", Target(0)),
    ]


def main() -> int:
    """Soak a worker. Returns 0 when every target is met, 1 when one is not, 2 when not all could be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.soak", description=main.__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="how many jobs (default 10000)")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="neops-soak-", dir=_durable_directory())).resolve()
    figures: list[Figure] = []
    with alone():
        try:
            figures = asyncio.run(_soak(directory, arguments.jobs))
        except asyncio.CancelledError:
            print("soak: interrupted; everything it had started is gone.", file=sys.stderr)
            return 130
        except FaultTestError as error:
            print(f"soak: {error}", file=sys.stderr)
            return 2
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        figures.append(Figure("processes left", len(still_left()), "", Target(0)))
    print(f"{arguments.jobs} jobs, {SLOTS} slots")
    print(table(figures))
    if os.geteuid() != 0:
        print("Without root the supervisor's memory and descriptors can't be seen: it forbids inspection.")
    return 1 if any(figure.met is False for figure in figures) else 0


def _durable_directory() -> str | None:
    """Return a place on a disk, unless TMPDIR names another: where /tmp is memory, it would count as growth."""
    return None if "TMPDIR" in os.environ or not os.access("/var/tmp", os.W_OK) else "/var/tmp"


if __name__ == "__main__":
    sys.exit(main())
