"""Every block that misbehaves, in a real child: the truthful result, nothing left, and the next job unharmed."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from hosting import TAKES_ITS_STACK, Host, alive_with, signals_are_contained

from tests.lateness import Slowness
from tests.patience import PATIENCE_SECONDS, wait_until

SHORT: dict[str, Any] = {"max_job_seconds": 0.5, "grace_seconds": 0.3}
NO_GRACE: dict[str, Any] = {"max_job_seconds": 0.5, "grace_seconds": 0.0}
PATIENT: dict[str, Any] = {"max_job_seconds": 2 * PATIENCE_SECONDS}
KILL_BOUND_SECONDS = 0.25  # stack dump and SIGKILL (I6)
SLACK_SECONDS = 1.0  # what a machine is late that is not busy


@pytest.fixture(autouse=True)
def _the_host_is_as_before(host: Host) -> Iterator[None]:
    """After each test: no unknown process, no more descriptors, and an ordinary job runs."""
    before = host.ask("descriptors")["count"]
    yield
    assert host.run("slow", {"seconds": 0})["cause"] == "completed"
    assert host.ask("processes")["unknown"] == []
    # More only for a moment, while the directory of the job is being removed.
    wait_until(lambda: host.ask("descriptors")["count"] <= before)
    wait_until(host.has_no_job_directory)


@pytest.mark.parametrize(
    ("name", "parameters", "limits", "place"),
    [
        ("hang_await", {}, SHORT, "hangs.py"),
        ("hang_sleep", {}, NO_GRACE, "hangs.py"),
        ("spin", {}, NO_GRACE, "hangs.py"),
        ("gil_hog", {"mode": "sleep"}, NO_GRACE, "hangs.py"),
        ("gil_hog", {"mode": "power"}, NO_GRACE, "hangs.py"),
        ("ignores_cancel", {}, SHORT, ""),
        ("slow_cleanup", {}, SHORT, ""),
        ("finishes_late", {}, NO_GRACE, "timing.py"),
        ("regex_hang", {}, NO_GRACE, "hangs.py"),
        ("block_signals", {}, NO_GRACE, ""),
        ("signal_itself", {"name": "SIGSTOP"}, NO_GRACE, ""),
    ],
)
def test_a_job_over_its_time_is_ended_in_time_and_says_where_it_was(
    host: Host, slowness: Slowness, name: str, parameters: dict[str, Any], limits: dict[str, Any], place: str
) -> None:
    """rq/rq#323 (native code never notices its limit) and benoitc/gunicorn#185 (a kill says not where it was)."""
    slowness.since_asked()
    done = host.run(name, parameters, limits=limits, do=TAKES_ITS_STACK if place else "run")
    bound = (KILL_BOUND_SECONDS + SLACK_SECONDS) * slowness.since_asked()
    assert (done["success"], done["cause"], done["limit"]) == (False, "time_limit", "time")
    assert place in done["stack"]
    assert place in done["message"]
    assert 0.5 <= done["measured"] < 0.5 + bound
    assert done["elapsed"] < 0.5 + limits["grace_seconds"] + bound


def test_a_block_that_awaits_is_ended_without_a_kill(host: Host) -> None:
    done = host.run("hang_await", limits={"max_job_seconds": 0.3, "grace_seconds": 60.0})
    assert (done["cause"], done["killed"], done["exit_code"]) == ("time_limit", False, 0)


def test_success_after_the_limit_does_not_count_and_is_mentioned(host: Host) -> None:
    """The signal that asks for the stack wakes the C call, and the block then returns success."""
    done = host.run("finishes_late", limits=NO_GRACE)
    assert done["cause"] == "time_limit"
    if done["exit_code"] == 0:  # it was quicker than the kill
        assert "reported success" in done["message"]


@pytest.mark.parametrize(
    ("name", "parameters", "cause", "said"),
    [
        ("segfault", {}, "crashed", ["SIGSEGV", "segmentation fault", "ends.py"]),
        ("exit_code", {"code": 7}, "exited", ["exit code 7"]),
        ("exit_code", {"code": 0}, "exited", ["exit code 0", "before the block returned"]),
        ("exit_code", {"code": 73}, "exited", ["exit code 73"]),
        ("sys_exit", {}, "block_raised", ["SystemExit"]),
        ("raise_error", {}, "block_raised", ["ValueError", "This block always fails"]),
        ("raise_base_exception", {}, "block_raised", ["PlannedBaseException"]),
        ("no_result", {}, "block_failed", ["None"]),
        ("not_json_result", {}, "block_failed", ["JSON", "value"]),
        ("nan_result", {}, "block_failed", ["JSON", "nan"]),
        ("raise_unprintable", {}, "block_raised", ["UnprintableError"]),
        ("raise_interrupt", {}, "block_raised", ["KeyboardInterrupt"]),
        ("cancel_itself", {}, "block_raised", ["CancelledError", "The worker had not cancelled it"]),
        ("circular_result", {}, "block_failed", ["JSON", "contains itself"]),
        ("deep_result", {}, "block_failed", ["JSON"]),
        ("signal_itself", {"name": "SIGABRT"}, "crashed", ["SIGABRT"]),
        ("replace_process", {}, "channel_closed", ["exec"]),
        ("close_fds", {}, "channel_closed", ["closed the descriptor"]),
        ("close_fds", {"first": 3}, "channel_closed", ["closed the descriptor"]),
    ],
)
def test_an_end_without_a_result_is_a_truthful_failure(
    host: Host, name: str, parameters: dict[str, Any], cause: str, said: list[str]
) -> None:
    done = host.run(name, parameters)
    assert (done["success"], done["cause"]) == (False, cause)
    assert [text for text in said if text not in done["message"]] == []


@pytest.mark.parametrize(
    ("threads", "seconds", "cause"),
    [(10, 3600.0, "time_limit"), (10, 0.0, "crashed"), (120, 3600.0, "time_limit")],
)
def test_a_result_says_first_where_the_main_thread_was_however_many_others_there_are(
    host: Host, threads: int, seconds: float, cause: str
) -> None:
    done = host.ask(
        "run_with_time_for_its_stack",
        block="under_test/crashes_beside_threads:1.0.0",
        parameters={"times": threads, "seconds": seconds},
        limits={"max_job_seconds": 2.0, "grace_seconds": 0.0},
    )
    assert done["cause"] == cause
    assert "stalling_blocks.py" in done["message"], done["stack"]
    first, *others = done["stack"].split("(most recent call first):\n")[1:]
    assert "stalling_blocks.py" in first
    assert len(others) >= min(threads, 100)


def test_a_crash_tells_the_usage(host: Host) -> None:
    done = host.run("segfault")
    assert done["signal"] == "SIGSEGV"
    assert 0 <= done["peak_memory_mb"] < 20
    assert "peak memory" in done["message"]
    assert "CPU" in done["message"]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"rubbish that is no frame", "no frame|bytes is over"),
        (bytes(8), "not a valid header"),
        (b"\0\0\0\x02\0\0\0\0{}", "not a valid header"),
        (b"\0\0\0\x10\0\0\0", ""),
    ],
    ids=["text", "empty header", "no type", "half a frame"],
)
def test_bytes_of_the_block_on_the_worker_s_channel_end_the_job(host: Host, sent: bytes, said: str) -> None:
    done = host.run("under_test/writes_to_channel", {"text": sent.hex()}, limits={"max_job_seconds": 60.0})
    assert (done["success"], done["cause"]) == (False, "bad_frame")
    assert any(word in done["message"] for word in said.split("|"))


def test_a_result_over_the_cap_is_a_clear_failure(host: Host) -> None:
    done = host.run("big_result", {"mb": 2}, limits={"max_result_mb": 1})
    assert (done["success"], done["cause"], done["retryable"]) == (False, "block_failed", False)
    assert "--max-result-mb" in done["message"]
    assert done["body"] == ""


def test_a_result_at_the_cap_arrives_whole(host: Host) -> None:
    done = host.run("big_result", {"mb": 7})
    assert done["cause"] == "completed"
    assert len(json.loads(done["body"])["data"]["value"]) == 7 * 2**20


def test_a_message_over_the_cap_is_cut_and_says_so(host: Host) -> None:
    done = host.run("under_test/says", {"mb": 1})
    assert done["cause"] == "completed"
    assert len(done["message"]) <= 16_000
    assert "more characters cut" in done["message"]


def test_of_two_results_by_a_fork_the_child_s_own_counts(host: Host) -> None:
    done = host.run("returns_twice")
    assert (done["cause"], done["message"]) == ("completed", "The parent")
    assert done["leftovers"] <= 1


@pytest.mark.skipif(not signals_are_contained(), reason="this kernel is older than Linux 6.12")
def test_a_block_can_not_kill_the_worker(host: Host) -> None:
    done = host.run("kill_parent")
    assert (done["success"], done["cause"]) == (False, "block_raised")
    assert "PermissionError" in done["message"]


def test_what_a_successful_job_leaves_behind_is_killed_and_a_warning(host: Host) -> None:
    marker = f"left-behind-{os.getpid()}"
    done = host.run("leave_behind", {"marker": marker})
    # The middle process of the daemon's double fork may be caught alive as well.
    assert (done["success"], done["leftovers"] in (3, 4)) == (True, True)
    assert f"{done['leftovers']} process(es)" in done["warning"]
    assert alive_with(marker) == []


def test_the_whole_tree_of_a_killed_job_is_dead_before_its_result(host: Host) -> None:
    """apache/airflow#65505: what a job had started, in sessions of its own, is orphaned when the job is killed."""
    marker = f"tree-{os.getpid()}"
    running = host.start("ignore_sigterm_tree", parameters={"marker": marker}, limits=PATIENT)
    wait_until(lambda: len(alive_with(marker)) >= 3, "the tree is there")
    host.ask("end_now", of=running)
    done = host.wait(running)
    assert done["killed"]
    assert done["leftovers"] in (3, 4)
    assert alive_with(marker) == []


def test_the_end_of_one_job_leaves_the_daemons_of_another_alone(host: Host) -> None:
    marker = f"others-{os.getpid()}"
    running = host.start("ignore_sigterm_tree", parameters={"marker": marker}, limits=PATIENT)
    wait_until(lambda: len(alive_with(marker)) == 3)
    for _ in range(3):
        assert host.run("slow", {"seconds": 0})["leftovers"] == 0
    wait_until(lambda: len(alive_with(marker)) == 3)
    (plain,) = [int(line.partition(":")[0]) for line in alive_with(marker) if "plain" in line]
    os.kill(psutil.Process(plain).ppid(), signal.SIGKILL)
    done = host.wait(running)
    assert (done["cause"], done["signal"], done["leftovers"]) == ("crashed", "SIGKILL", 3)
    assert "not sent by this worker" in done["message"]
    assert alive_with(marker) == []


def test_a_job_over_its_memory_is_killed_and_says_how_much_it_used(host: Host) -> None:
    limits = {"max_job_memory_mb": 60.0, "max_job_seconds": 60.0}
    done = host.run("eat_memory", {"mb": 150, "mb_per_second": 300}, limits=limits)
    assert (done["success"], done["cause"], done["limit"]) == (False, "memory_limit", "memory")
    assert done["measured"] > 60
    assert "of 60 MB" in done["message"]


def test_a_thread_that_a_block_leaves_behind_does_not_keep_its_job(host: Host) -> None:
    done = host.run("thread_leak")
    assert (done["success"], done["lingered"], done["warning"]) == (True, False, None)


def test_a_shutdown_ends_a_running_job_and_says_so_and_later_jobs_are_not_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Host(tmp_path_factory.mktemp("stopping"), spares=1) as host:
        running = host.start("hang_sleep", limits=PATIENT, do=TAKES_ITS_STACK)
        wait_until(lambda: "hangs.py" in str(host.ask("stack", of=running)["seen"]), "the job runs")
        host.ask("stop_all")
        done = host.wait(running)
        assert (done["cause"], done["retryable"]) == ("worker_stopping", True)
        assert "hangs.py" in done["message"]
        late = host.run("slow", {"seconds": 0})
        assert (late["cause"], late["retryable"]) == ("worker_stopping", True)


def test_a_shutdown_in_the_moment_before_the_order_ends_the_job(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Host(tmp_path_factory.mktemp("stopping"), spares=1) as host:
        done = host.ask("stop_while_a_child_is_found", block="neops_testing/hang_sleep:1.0.0")
        assert (done["cause"], done["retryable"]) == ("worker_stopping", True)
