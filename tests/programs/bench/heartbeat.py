"""How late the heartbeat is while a job in every slot holds the GIL and burns a core; and the machine's own timers."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.programs.bench.distribution import Distribution, late_beats
from tests.programs.bench.engine import claim_to_result, records_of, results
from tests.programs.bench.errors import BenchError
from tests.programs.bench.figures import Figure, milliseconds
from tests.programs.bench.sizes import Sizes
from tests.programs.bench.stage import GIL_HOG, WorkerOptions, database_of, staged, timed

SLOTS: Final = 8
BEAT_SECONDS: Final = 0.1
GRACE_SECONDS: Final = 0.5
P99_TARGET_MS: Final = 100
_PARTS: Final = ("p50", "p99", "worst")
_Period = tuple[float, float]
"""From when to when, in seconds of CLOCK_MONOTONIC."""


async def measure(directory: Path, sizes: Sizes) -> list[Figure]:
    """Compare heartbeat and timer, first with nothing to do, then with a hog in every slot."""
    options = WorkerOptions(
        slots=SLOTS,
        heartbeat_seconds=BEAT_SECONDS,
        max_job_seconds=sizes.hog_seconds,
        grace_seconds=GRACE_SECONDS,
    )
    async with staged(directory, options) as stage:
        async with timed(directory, BEAT_SECONDS) as quiet_timer:
            quiet_from = time.monotonic()
            await asyncio.sleep(sizes.quiet_seconds)
            quiet = (quiet_from, time.monotonic())
        async with timed(directory, BEAT_SECONDS) as hogged_timer:
            hogs = await stage.engine.submit(GIL_HOG, [{"mode": "power"}] * SLOTS)
            await stage.engine.wait_for(hogs, sizes.hog_seconds + GRACE_SECONDS + 20)
        pings = await stage.engine.pings()
    hogged = await _hogged_period(database_of(directory), sizes.hog_seconds)
    return [
        *_figures("heartbeat late, a GIL hog in every slot", _late_in(hogged, pings), P99_TARGET_MS),
        *_figures("  the machine's own timers meanwhile", hogged_timer),
        *_figures("heartbeat late, no job", _late_in(quiet, pings)),
        *_figures("  the machine's own timers meanwhile", quiet_timer),
    ]


async def _hogged_period(database: Path, hog_seconds: float) -> _Period:
    """Return from when to when every slot had a hog, up to the first result: killing them is a part of it.

    Raises `BenchError` when one was not stopped by its limit, but came to an end before.
    """
    hogs = await records_of(database)
    if any(result["success"] for result in results(hogs)) or min(claim_to_result(hogs)) < hog_seconds:
        raise BenchError("A job that should have held the GIL until it was killed came to an end before.")
    # The engine stamps jobs by the calendar, and requests by the clock that nobody sets.
    offset = time.time() - time.monotonic()
    claims = max(hog.claimed_at or 0.0 for hog in hogs)
    return claims - offset, min(hog.finished_at or 0.0 for hog in hogs) - offset


def _late_in(period: _Period, pings: Sequence[float]) -> list[float]:
    start, end = period
    late = [beat.late_seconds for beat in late_beats(pings, BEAT_SECONDS) if start <= beat.came_at <= end]
    # Beats that never came are not late in any list, and the percentiles of nothing are excellent.
    if len(late) < (end - start) / BEAT_SECONDS / 2:
        raise BenchError(f"Only {len(late)} heartbeats came in {end - start:.0f} s.")
    return late


def _figures(name: str, late: Sequence[float], p99_target_ms: float | None = None) -> list[Figure]:
    targets = None if p99_target_ms is None else {"p99": p99_target_ms}
    return milliseconds(name, Distribution.of(late), targets=targets, parts=_PARTS)
