"""How late the heartbeat is while a job in every slot holds the GIL and burns a core; and the machine's own timers."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.distribution import Distribution, LateBeat, late_beats
from tests.bench.engine import Engine, records_of, results
from tests.bench.errors import BenchError
from tests.bench.figures import Figure, milliseconds
from tests.bench.sizes import Sizes
from tests.bench.stage import GIL_HOG, WorkerOptions, database_of, staged, timed

SLOTS: Final = 8
BEAT_SECONDS: Final = 0.1
GRACE_SECONDS: Final = 0.5
P99_TARGET_MS: Final = 100
_PARTS: Final = ("p50", "p99", "worst")


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
            quiet_from = time.time()
            await asyncio.sleep(sizes.quiet_seconds)
        async with timed(directory, BEAT_SECONDS) as hogged_timer:
            quiet_until = time.time()
            await _hog(stage.engine, sizes.hog_seconds)
        pings = await stage.engine.pings()
    hogged_from, hogged_until = await _hogged_time(database_of(directory))
    beats = late_beats(pings, BEAT_SECONDS)
    return [
        *_figures("heartbeat late, a GIL hog in every slot", _between(beats, hogged_from, hogged_until), P99_TARGET_MS),
        *_figures("  the machine's own timers meanwhile", hogged_timer),
        *_figures("heartbeat late, no job", _between(beats, quiet_from, quiet_until)),
        *_figures("  the machine's own timers meanwhile", quiet_timer),
    ]  # fmt: skip


async def _hog(engine: Engine, seconds: float) -> None:
    hogs = await engine.submit(GIL_HOG, [{"mode": "power"}] * SLOTS)
    await engine.wait_for(hogs, seconds + GRACE_SECONDS + 20)


async def _hogged_time(database: Path) -> tuple[float, float]:
    """Return from when to when every slot had a hog. Raises `BenchError` when one came to an end by itself."""
    hogs = await records_of(database)
    if any(result["success"] for result in results(hogs)):
        raise BenchError("A job that should have held the GIL until it was killed came to an end by itself.")
    return max(hog.claimed_at or 0.0 for hog in hogs), min(hog.finished_at or 0.0 for hog in hogs)


def _between(beats: Sequence[LateBeat], start: float, end: float) -> list[float]:
    return [beat.late_seconds for beat in beats if start <= beat.came_at <= end]


def _figures(name: str, late: Sequence[float], p99_target_ms: float | None = None) -> list[Figure]:
    targets = None if p99_target_ms is None else {"p99": p99_target_ms}
    return milliseconds(name, Distribution.of(late), targets=targets, parts=_PARTS)
