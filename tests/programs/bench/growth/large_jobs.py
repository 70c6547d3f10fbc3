"""Ten megabytes: a context of many devices, one of a single text, a result. How long, and how long the loop is held."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sdk.devengine import JobRecord
from tests.programs.bench import cpu
from tests.programs.bench.engine import Engine, check_success, claim_to_result, records_of
from tests.programs.bench.errors import BenchError
from tests.programs.bench.figures import Figure, Target
from tests.programs.bench.growth.setup import COUNT_DEVICES, LONG_TEXT, Setup
from tests.programs.bench.stage import database_of, staged

SECONDS_TARGET: Final = 0.4
HELD_MS_TARGET: Final = 20
_BYTES: Final = 10_000_000
_DEVICES: Final = 9000
_JOB_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.2
_MARGIN_SECONDS: Final = 0.2
"""Before the claim the poll is answered, and after the result the job's things are put away."""


async def measure(setup: Setup) -> list[Figure]:
    """Run each job some times, one by one. The figures are medians."""
    cases: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("context of 10 MB, 9,000 devices", COUNT_DEVICES, {}, many_devices("")),
        ("… each with a password of its own", COUNT_DEVICES, {}, many_devices("a password for {}")),
        ("context of 10 MB, one text", COUNT_DEVICES, {}, one_text()),
        ("result of 10 MB", LONG_TEXT, {"characters": _BYTES}, {}),
    ]
    warm_up, repeats = (0, 1) if setup.is_quick else (1, 7)
    figures: list[Figure] = []
    for number, (name, block, parameters, context) in enumerate(cases):
        directory = setup.directory / f"large-{number}"
        holds = setup.directory / f"holds-{number}"
        options = setup.worker(
            poll_seconds=0.05,
            flags=("--max-result-mb", "16"),
            program="watched_worker",
            environment={"BENCH_HOLDS_FILE": str(holds)},
        )
        async with staged(directory, options) as stage:
            job = {"block": block, "parameters": parameters, "context": context}
            before = cpu.tree_cpu_seconds(stage.worker_pid)
            for number_of_results in range(1, warm_up + repeats + 1):
                await stage.engine.ask("POST", "/dev/jobs", job)
                await _wait_for_results(stage.engine, number_of_results)
            cpu_seconds = (cpu.tree_cpu_seconds(stage.worker_pid) - before) / (warm_up + repeats)
        records = await records_of(database_of(directory))
        check_success(records)
        # The first one pays for what runs for the first time.
        figures += _figures(name, records[warm_up:], holds, cpu_seconds)
    return figures


async def _wait_for_results(engine: Engine, number: int) -> None:
    """Wait until the engine has had so many results. Not by asking for a job: it masks all of it for each answer."""
    end = time.monotonic() + _JOB_SECONDS
    while len(await engine.ask("GET", "/dev/requests?route=result")) < number:
        if time.monotonic() > end:
            raise BenchError(f"A job of ten megabytes was not done within {_JOB_SECONDS:g} s.")
        await asyncio.sleep(_LOOK_SECONDS)


def many_devices(password: str) -> dict[str, Any]:
    """Return a context of 9,000 devices as they come from an engine. `{}` in the password is the device's number."""
    filler = "y" * (_BYTES // _DEVICES - 260)
    return {
        "devices": [
            {
                "id": number,
                "hostname": f"switch-{number:05}.example.net",
                "ip": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
                "vendor": "cisco",
                "serial": f"FOC{number:08}",
                "platform": {"id": 3, "name": "Cisco IOS", "shortName": "ios"},
                "username": "admin",
                "password": password.format(number),
                "facts": {"text": filler},
            }
            for number in range(1, _DEVICES + 1)
        ]
    }


def one_text() -> dict[str, Any]:
    """Return a context of one device with one fact that is ten megabytes long."""
    return {"devices": [{"id": 1, "hostname": "switch-1", "facts": {"text": "y" * _BYTES}}]}


def _figures(name: str, records: Sequence[JobRecord], holds: Path, cpu_seconds: float) -> list[Figure]:
    held = longest_holds(holds, records)
    seconds = statistics.median(claim_to_result(records))
    longest = statistics.median(hold.seconds for hold in held) * 1000
    busy = statistics.median(hold.cpu_seconds for hold in held) * 1000
    return [
        Figure(f"{name}, claim → result", seconds, "s", Target(SECONDS_TARGET)),
        Figure("  the loop held at most, median of jobs", longest, "ms", Target(HELD_MS_TARGET)),
        # On a machine that others use, a loop is also late because it gets no processor.
        Figure("  most processor time between two looks", busy, "ms"),
        Figure("  CPU of the whole worker, per job", cpu_seconds * 1000, "ms"),
    ]


@dataclass(frozen=True, slots=True)
class Hold:
    """How long the loop did not run, and how much processor time its process used meanwhile."""

    seconds: float
    cpu_seconds: float


def longest_holds(file: Path, records: Sequence[JobRecord]) -> list[Hold]:
    """Return for each job the longest time by which the worker's loop was late while it ran."""
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    holds = [tuple(map(float, line.split())) for line in lines]
    # The engine stamps jobs by the calendar, and the loop has the clock that nobody sets.
    offset = time.time() - time.monotonic()
    longest: list[Hold] = []
    for record in records:
        start = (record.claimed_at or 0.0) - offset - _MARGIN_SECONDS
        end = (record.finished_at or 0.0) - offset + _MARGIN_SECONDS
        # One that began before the end is written down when it is over.
        seen = [(late, cpu) for at, late, cpu in holds if start <= at <= end + late]
        most = [max((hold[part] for hold in seen), default=0.0) for part in (0, 1)]
        longest.append(Hold(most[0], most[1]))
    return longest
