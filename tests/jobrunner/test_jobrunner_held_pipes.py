"""Jobs that hold the lock of the pipe into which they print, where no filter of calls keeps them from it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosting import Host, hosted

from tests.patience import PATIENCE_SECONDS, wait_until

LIMITS = {"max_job_seconds": 3.0, "grace_seconds": 0.2}
STREAMS = ["stdout", "stderr", "stdout"]
# The pipe is free after 60 s, when the block's own alarm ends it: whoever waits for that is late.
LATE_SECONDS = 30.0


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One without seccomp, and with a spare for each job."""
    with hosted(tmp_path_factory.mktemp("host"), spares=4, isolation={}, limits=LIMITS) as host:
        yield host


def pipes(host: Host) -> int:
    """How many ends of pipes the host has open, once its children are ready that wait for jobs."""
    host.ask("descriptors")
    links = [os.readlink(link) for link in Path(f"/proc/{host.pid}/fd").iterdir()]
    return len([link for link in links if link.startswith("pipe:")])


def holding(host: Host, marker: Path, stream: str = "stdout", **request: Any) -> int:
    """Start a job, and wait until it waits in the kernel, with the lock. Returns its number."""
    parameters = {"text": stream, "marker": str(marker)}
    number = host.start("under_test/holds_its_pipe", parameters=parameters, **request)
    wait_until(lambda: marker.exists() and marker.read_text().endswith("\n"), "it is about to print")
    stat = Path(f"/proc/{int(marker.read_text())}/stat")
    wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "S", "it waits in the kernel")
    return number


def printed(done: dict[str, Any]) -> list[str]:
    return [line["text"] for line in done["lines"] if line["stream"]]


def test_jobs_that_hold_their_pipes_end_at_their_limit_and_others_go_on(host: Host, tmp_path: Path) -> None:
    ordinary = "under_test/prints_through_its_own_stream"
    assert host.run(ordinary)["success"]
    pipes_before = pipes(host)
    numbers = [holding(host, tmp_path / str(place), stream) for place, stream in enumerate(STREAMS)]
    begun, others = time.monotonic(), 0
    while time.monotonic() - begun < 1.0:
        other = host.run(ordinary)
        assert (other["cause"], printed(other)) == ("completed", ["kept back"])
        others += 1
    assert others > 1
    for number in numbers:
        done = host.wait(number)
        assert done["cause"] == "time_limit", done["message"]
        assert 3.0 <= done["elapsed"] < LATE_SECONDS
        assert "in run" in done["stack"]
        assert (done["last_output"], printed(done)) == ("before\n", ["before"])
        assert (done["stuck"], done["leftovers"]) == (False, 0)
    wait_until(lambda: pipes(host) == pipes_before, "the ends are closed that were being read")
    wait_until(lambda: host.ask("pipe_threads")["count"] == 2, "what was started meanwhile has ended")


def test_a_worker_that_stops_ends_a_job_that_holds_its_pipe(host: Host, tmp_path: Path) -> None:
    number = holding(host, tmp_path / "marker", limits={"max_job_seconds": PATIENCE_SECONDS})
    begun = time.monotonic()
    host.ask("end_now", of=number)
    done = host.wait(number)
    assert time.monotonic() - begun < LATE_SECONDS
    assert (done["cause"], printed(done)) == ("worker_stopping", ["before"])
