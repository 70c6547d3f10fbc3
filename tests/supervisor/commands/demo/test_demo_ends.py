"""The demo that does not come to its end: nothing it has started stays alive."""

import signal
from pathlib import Path

import pytest
from demo_support import LONGEST_SECONDS, alive, demo_at_work, words_of

from supervisor.log.events.worker import WorkerReady


@pytest.mark.parametrize(("number", "times"), [(signal.SIGTERM, 1), (signal.SIGINT, 3)])
def test_signals_end_everything_in_order_however_many_they_are(
    tmp_path: Path, number: signal.Signals, times: int
) -> None:
    with demo_at_work(tmp_path) as (process, below):
        for _ in range(times):
            process.send_signal(number)
        output, messages = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 128 + number
    assert output == ""
    assert "interrupted; everything that it had started was ended" in messages
    assert alive(below) == []
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_killed_leaves_nothing_alive(tmp_path: Path) -> None:
    with demo_at_work(tmp_path) as (process, below):
        process.kill()
        process.communicate(timeout=LONGEST_SECONDS)
    assert alive(below) == []


def test_a_worker_that_dies_makes_the_demo_fail_and_is_quoted(tmp_path: Path) -> None:
    with demo_at_work(tmp_path) as (process, below):
        worker = next(found for found in below if "--engine-url" in words_of(found))
        worker.kill()
        output, messages = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 1
    assert "Not everything was as expected" in output
    assert "hang_sleep: the engine got no result for it." in output
    assert "The worker ended with exit code -9 after SIGTERM." in output
    assert f"event={WorkerReady.name}" in messages
    assert alive(below) == []
