"""The stall watch in real children: a loop that does not run is found, also from outside of it, and no other is."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from hosting import TAKES_ITS_STACK, Host, told

from jobrunner.protocol.ticks import tick_seconds
from supervisor.log.events.jobs import LoopResumed, LoopStalled
from tests.patience import PATIENCE_SECONDS, wait_until

STALL_SECONDS = 1.2
"""Longer than a machine that others share keeps a processor from a job: that would be one more silence to tell."""
WATCHED: dict[str, Any] = {"stall_seconds": STALL_SECONDS, "max_job_seconds": 20.0, "grace_seconds": 0.0}
KILLED = WATCHED | {"on_stall": "kill"}


def stalls(done: dict[str, Any]) -> list[dict[str, Any]]:
    return told(done, LoopStalled)


def test_a_stalled_loop_is_told_once_with_its_place_and_so_is_its_end_and_the_job_goes_on(host: Host) -> None:
    """PrefectHQ/prefect#21616: a heartbeat of its own thread says of a hung job that it is well."""
    done = host.run("under_test/stalls", {"seconds": 3.0}, limits=WATCHED, do=TAKES_ITS_STACK)
    assert done["cause"] == "completed"
    (warning,) = stalls(done)
    assert warning["level"] == "WARNING"
    assert "stalling_blocks.py" in warning["stack"]
    assert "--stall-seconds" in warning["text"]
    (resumed,) = told(done, LoopResumed)
    assert STALL_SECONDS <= warning["seconds"] <= resumed["seconds"] < done["elapsed"]


def test_each_silence_is_told_anew(host: Host) -> None:
    done = host.run("under_test/stalls", {"seconds": 2.5, "times": 2}, limits=WATCHED)
    assert (len(stalls(done)), len(told(done, LoopResumed))) == (2, 2)


def test_the_look_at_the_stack_does_not_shorten_a_sleep_and_ticking_adds_no_task(host: Host) -> None:
    done = host.run("under_test/stalls", {"seconds": 2.5}, limits=WATCHED)
    assert len(stalls(done)) == 1
    value = json.loads(done["body"])["data"]["value"]
    assert len(value["tasks"]) == 2, "the job's own and the block's"
    assert value["took"][0] >= 2.5


@pytest.mark.parametrize(
    ("name", "parameters"), [("hang_sleep", {}), ("spin", {}), ("gil_hog", {"mode": "power"})]
)
def test_a_stalled_job_is_ended_where_the_worker_is_told_so(
    host: Host, name: str, parameters: dict[str, Any]
) -> None:
    # Longer than a job waits for a processor before its block begins, also on a busy machine.
    done = host.run(name, parameters, limits=KILLED | {"stall_seconds": 1.5}, do=TAKES_ITS_STACK)
    assert (done["success"], done["cause"], done["limit"]) == (False, "stalled", "stall")
    assert "hangs.py" in done["message"]
    assert "--on-stall" in done["message"]
    assert 1.5 <= done["measured"] < done["elapsed"]
    assert stalls(done) == []


def test_a_job_that_awaits_is_never_flagged(host: Host) -> None:
    done = host.run("hang_await", limits=KILLED | {"max_job_seconds": 3.5})
    assert done["cause"] == "time_limit"
    assert stalls(done) == []
    assert "event loop had not run" not in done["message"]


def test_a_job_that_computes_and_lets_its_loop_run_is_flagged_only_where_the_machine_did_not_let_it(
    host: Host,
) -> None:
    limits = WATCHED | {"stall_seconds": 0.4, "max_job_seconds": PATIENCE_SECONDS}
    done = host.run("under_test/works_and_awaits", {"seconds": 2.0, "thread": True}, limits=limits)
    assert done["cause"] == "completed"
    longest = json.loads(done["body"])["data"]["value"]
    # The last tick may have come so long before the first of two turns: a tick that is due in one turn of the loop runs
    # after the block's part of the next one.
    assert stalls(done) == [] or 2 * longest >= 0.4 - tick_seconds(0.4)


def test_a_worker_that_stood_still_accuses_nobody(host: Host) -> None:
    """Twice as long as a loop may be silent; what the loop has sent meanwhile waits in the socket."""
    running = host.start("slow", parameters={"seconds": 7.0}, limits=KILLED)
    for _ in range(2):
        time.sleep(0.4)
        os.kill(host.pid, signal.SIGSTOP)
        time.sleep(2 * STALL_SECONDS)
        os.kill(host.pid, signal.SIGCONT)
    done = host.wait(running)
    assert (done["cause"], stalls(done)) == ("completed", [])


def test_without_a_threshold_nothing_ticks_and_nothing_is_told(host: Host) -> None:
    done = host.run("under_test/stalls", {"seconds": 0.8}, limits=WATCHED | {"stall_seconds": 0.0})
    assert (done["cause"], stalls(done)) == ("completed", [])


def test_the_silence_of_the_loop_is_evidence_of_an_abnormal_end(host: Host) -> None:
    done = host.run("under_test/crashes_after_a_stall", {"seconds": 2.0}, limits=WATCHED)
    assert done["cause"] == "crashed"
    assert 0.6 < done["silent"] < done["elapsed"]
    assert f"its event loop had not run for {done['silent']:.1f} s" in done["message"]


def test_at_a_time_limit_the_silence_is_that_before_the_signal_that_wakes(host: Host) -> None:
    # Two seconds more than it says, for a block that begins late.
    limits = WATCHED | {"stall_seconds": 4.0, "max_job_seconds": 3.5}
    done = host.run("finishes_late", limits=limits)
    assert (done["cause"], stalls(done)) == ("time_limit", [])
    assert done["silent"] > 1.5


def test_a_stopped_process_is_told_as_stopped(host: Host) -> None:
    done = host.run("under_test/stops_itself", limits=WATCHED | {"max_job_seconds": 3.0})
    assert done["cause"] == "time_limit"
    (warning,) = stalls(done)
    assert "stopped (SIGSTOP" in warning["stack"]
    assert "stopped (SIGSTOP" in done["message"]


def test_a_process_that_blocks_every_signal_is_told_by_what_the_kernel_knows(host: Host) -> None:
    limits = WATCHED | {"max_job_seconds": 3.0}
    done = host.ask("run_to_its_end", block="under_test/blocks_signals:1.0.0", limits=limits)
    assert done["cause"] == "time_limit"
    assert "blocks the signal" in done["message"]
    assert "waiting" in done["message"]
    if os.geteuid() == 0:
        assert "nanosleep" in done["message"]


def test_a_connection_that_has_got_the_channel_s_number_gets_no_tick(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "file"
    limits = WATCHED | {"stall_seconds": 0.08}
    done = host.run("under_test/reuses_the_channel", {"path": str(path)}, limits=limits)
    assert done["cause"] == "channel_closed"
    assert done["elapsed"] > 0.1, "it ended before a tick was due"
    assert path.read_bytes() == b"3 nothing"


def test_a_child_that_can_not_be_killed_is_reported_with_what_the_kernel_knows(host: Host) -> None:
    done = host.ask(
        "run_without_kill", block="neops_testing/hang_sleep:1.0.0", limits=WATCHED | {"max_job_seconds": 0.3}
    )
    assert (done["cause"], done["stuck"], done["signal"]) == ("time_limit", True, None)
    assert "could not be killed, and the worker sets its slot aside" in done["message"]
    assert "Its process was waiting" in done["message"]
    assert "hangs.py" in done["message"]


def test_a_job_that_is_ended_by_a_shutdown_tells_where_it_was_and_for_how_long_its_loop_stood(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Host(tmp_path_factory.mktemp("stopping"), spares=1, limits=WATCHED | {"stall_seconds": 1.0}) as host:
        running = host.start("hang_sleep", limits={}, do=TAKES_ITS_STACK)
        wait_until(lambda: "hangs.py" in str(host.ask("stack", of=running)["seen"]), "it hangs")
        time.sleep(0.8)  # what it says of this time is what is tested
        host.ask("stop_all")
        done = host.wait(running)
    assert done["cause"] == "worker_stopping"
    assert "hangs.py" in done["message"]
    assert done["silent"] >= 0.5
