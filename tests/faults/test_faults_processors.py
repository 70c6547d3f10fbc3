"""When a processor stood still: each moment counts once, and a process that measures says what it has seen."""

import os
import signal
from pathlib import Path

import pytest

from tests.faults.processors import stood_still, watched_processors
from tests.patience import until


@pytest.mark.parametrize(
    ("lateness", "seconds"),
    [
        ([], 0.0),
        ([(12.0, 1.0)], 1.0),
        # Two processes that were late by the same, and one that was late within.
        ([(12.0, 1.0), (12.0, 1.0), (11.8, 0.5)], 1.0),
        ([(12.0, 1.0), (12.5, 1.0)], 1.5),
        # Before, across the beginning, across the end, after.
        ([(9.0, 1.0), (10.5, 1.0), (20.5, 1.0), (30.0, 1.0)], 1.0),
        ([(40.0, 40.0)], 10.0),
    ],
)
def test_each_moment_of_a_standstill_within_the_time_counts_once(
    lateness: list[tuple[float, float]], seconds: float
) -> None:
    assert stood_still(lateness, 10.0, 20.0) == pytest.approx(seconds)
    assert stood_still(reversed(lateness), 10.0, 20.0) == pytest.approx(seconds)


async def test_a_process_on_each_processor_tells_when_it_stood_still(tmp_path: Path) -> None:
    async with watched_processors(tmp_path) as watch:
        places = [tuple(os.sched_getaffinity(pid)) for pid in watch.pids]
        assert sorted(places) == [(each,) for each in sorted(os.sched_getaffinity(0))[: len(places)]]
        stopped = min(watch.pids)
        os.kill(stopped, signal.SIGSTOP)
        begin = await until(lambda: _stopped_at(stopped), "it is stopped")
        await until(lambda: os.times().elapsed - begin > 0.5, "half a second has passed")
        os.kill(stopped, signal.SIGCONT)
    assert max(late for _, late in watch.late) >= 0.3


def _stopped_at(pid: int) -> float | None:
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return os.times().elapsed if state == "T" else None
