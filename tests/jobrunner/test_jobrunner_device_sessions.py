"""Sessions on one device, counted over all jobs of a worker: real children, limit 4."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hosting import Host, hosted, is_alive

from sdk.testing.devices import EmulatedLab
from tests.patience import PATIENCE_SECONDS, wait_until

HOLDS, WANTS = "under_test/holds_places", "under_test/wants_a_place"
ASKS = "under_test/asks_a_device"
# A job that waits, or is waited for, ends when the test says so: its own limit must not come before.
PATIENT = {"max_job_seconds": 2 * PATIENCE_SECONDS}


@pytest.fixture
def host_with_one(tmp_path: Path) -> Iterator[Host]:
    """A host whose jobs may have one session on each device."""
    with hosted(tmp_path / "host", spares=2, limits={"sessions_per_device": 1}) as host:
        yield host


def value(done: dict[str, Any]) -> float:
    assert done["success"], done["message"]
    return float(json.loads(done["body"])["data"]["value"])


def begin_holding(host: Host, marker: Path, device: str) -> int:
    number = host.start(HOLDS, parameters={"marker": str(marker), "text": device}, limits=PATIENT)
    wait_until(Path(f"{marker}.taken").exists, "the first job has its four places")
    return number


def begin_wanting(host: Host, marker: Path, device: str, seconds: float = PATIENCE_SECONDS) -> int:
    parameters = {"marker": str(marker), "text": device, "mb": seconds}
    number = host.start(WANTS, parameters=parameters, limits=PATIENT)
    wait_until(Path(f"{marker}.asked").exists, "the second job has asked")
    return number


def test_a_second_job_waits_for_a_place_and_then_runs(host: Host, tmp_path: Path) -> None:
    marker = tmp_path / "go"
    first = begin_holding(host, marker, "r1 port 22")
    second = begin_wanting(host, marker, "r1 port 22")
    marker.touch()
    # The first goes on, until there is a file `end`: a place that is given back is free at once.
    granted_at = value(host.wait(second))
    marker.with_name("end").touch()
    assert granted_at >= value(host.wait(first))


def test_a_job_that_is_killed_gives_its_places_back(host: Host, tmp_path: Path) -> None:
    marker = tmp_path / "never"
    first = begin_holding(host, marker, "r2 port 22")
    second = begin_wanting(host, marker, "r2 port 22")
    host.ask("end_now", of=first)
    done = host.wait(second)
    assert done["success"], done["message"]
    assert host.wait(first)["killed"]


def test_who_gets_no_place_in_time_is_told_that_other_jobs_have_them(host: Host, tmp_path: Path) -> None:
    marker = tmp_path / "go"
    first = begin_holding(host, marker, "r3 port 22")
    other = begin_wanting(host, tmp_path / "other", "r4 port 22")
    assert host.wait(other)["success"], "another device has places of its own"
    done = host.wait(begin_wanting(host, marker, "r3 port 22", seconds=0.3))
    assert not done["success"]
    assert "r3 port 22 has no session to spare: within 0.3 s, all 4 sessions" in done["message"]
    assert "were taken by other jobs. Try again later" in done["message"]
    marker.touch()
    marker.with_name("end").touch()
    assert host.wait(first)["success"]


def test_a_real_device_never_has_more_sessions_than_it_may(host_with_one: Host, tmp_path: Path) -> None:
    place = tmp_path / "place"  # not the host's own: beside what is read-only a job can make nothing
    place.mkdir()
    with EmulatedLab("r1") as (router,):
        context = {"devices": [router.to_neops_device()]}

        def start(name: str, marker: str, seconds: float) -> int:
            parameters = {"marker": str(place / marker), "text": name, "mb": seconds}
            return host_with_one.start(ASKS, parameters=parameters, context=context, limits=PATIENT)

        killed = start("killed", "never", PATIENCE_SECONDS)
        wait_until((place / "never.killed").exists, "the first job has its session")
        refused = host_with_one.wait(start("refused", "go", 0.3))
        assert "the one session that this worker may have there was taken by other jobs" in refused["message"]
        waiting = start("waiting", "go", PATIENCE_SECONDS)
        # The first ends, and only then is it the second's turn.
        host_with_one.ask("end_now", of=killed)
        assert host_with_one.wait(killed)["killed"]
        wait_until((place / "go.waiting").exists, "the second job has its session")
        (place / "go").touch()
        done = host_with_one.wait(waiting)
        assert done["success"], done["message"]


def test_of_a_job_that_ends_while_it_asks_for_a_session_every_line_and_the_result_arrive(
    host_with_one: Host, tmp_path: Path
) -> None:
    """The worker reads that a place is free when nobody is left whom it could give it to."""
    place = tmp_path / "place"  # as above
    place.mkdir()
    marker, pid = place / "go", place / "go.pid"
    parameters = {"marker": str(marker), "text": "r1 port 22"}
    number = host_with_one.start("under_test/ends_while_it_asks", parameters=parameters, limits=PATIENT)
    wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"), "the job has its first place")
    job = int(pid.read_text())
    os.kill(host_with_one.pid, signal.SIGSTOP)
    try:
        marker.touch()
        wait_until(lambda: not is_alive(job), "the job has ended")
    finally:
        os.kill(host_with_one.pid, signal.SIGCONT)
    done = host_with_one.wait(number)
    assert done["success"], done["message"]
    lines = [line["text"] for line in done["lines"] if line["text"].startswith("line ")]
    assert lines == [f"line {number}" for number in range(450)]
