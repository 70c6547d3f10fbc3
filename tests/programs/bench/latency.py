"""Claim → result with one slot: paced, so that a spare is ready for each job, and back to back."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.programs.bench.distribution import Distribution
from tests.programs.bench.engine import check_success, claim_to_result, jobs_per_second, records_of
from tests.programs.bench.figures import Figure, milliseconds
from tests.programs.bench.sizes import Sizes
from tests.programs.bench.stage import ECHO, WorkerOptions, database_of, staged

WARM_UP_JOBS: Final = 10
"""Not counted: the first jobs of a worker pay for connections and for code that runs for the first time."""

PACE_SECONDS: Final = 0.1
P50_TARGET_MS: Final = 15
_PARTS: Final = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Latency:
    """The figures, and the rate with one slot, which the start methods are compared by."""

    figures: list[Figure]
    jobs_per_second: float


async def measure(directory: Path, sizes: Sizes) -> Latency:
    """Run echo jobs one after the other and take the engine's stamps of claim and result."""
    # Polls often, so that a job does not wait a second to be claimed; that wait is not in the figures.
    async with staged(directory, WorkerOptions(slots=1, poll_seconds=0.05)) as stage:
        paced_ids: list[str] = []
        for number in range(WARM_UP_JOBS + sizes.paced_jobs):
            paced_ids += await stage.engine.submit(ECHO, [{"text": f"paced {number}"}])
            await asyncio.sleep(PACE_SECONDS)
        await stage.engine.wait_for(paced_ids[-1:], 30)
        batch = [{"text": f"back to back {number}"} for number in range(sizes.back_to_back_jobs)]
        await stage.engine.wait_for(await stage.engine.submit(ECHO, batch), 60)
    records = await records_of(database_of(directory))
    check_success(records)
    paced, dense = records[WARM_UP_JOBS : -len(batch)], records[-len(batch) :]
    targets: dict[str, float] = {"p50": P50_TARGET_MS}
    return Latency(
        [
            *milliseconds(
                "claim → result, one slot, a spare ready",
                Distribution.of(claim_to_result(paced)),
                targets=targets,
                parts=_PARTS,
            ),
            *milliseconds(
                "claim → result, one slot, back to back",
                Distribution.of(claim_to_result(dense)),
                targets=targets,
                parts=_PARTS,
            ),
        ],
        jobs_per_second(dense),
    )
