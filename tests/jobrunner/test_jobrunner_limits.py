"""Limits of processes, threads, open files and file sizes; and bombs, which must harm only themselves."""

import contextlib
import errno
import json
import resource
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from hosting import Host, hosted

from tests.patience import PATIENCE_SECONDS, wait_until

MOST_PROCESSES = 200
# Of computing, which others on the machine do not lengthen: it is some milliseconds, and does not grow with a bomb.
LONGEST_TURN_SECONDS = 0.1
MOST_ROUNDS = 10  # it is one or two
PATIENT = {"max_job_seconds": PATIENCE_SECONDS}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with hosted(
        tmp_path_factory.mktemp("limits"),
        limits={"max_job_processes": MOST_PROCESSES},
        confinement={"max_open_files": 300, "max_file_mb": 3, "max_processes": 7},
    ) as host:
        yield host


def value(done: dict[str, Any]) -> Any:
    assert done["cause"] == "completed", done["message"]
    return json.loads(done["body"])["data"]["value"]


def is_tracker(process: psutil.Process) -> bool:
    """Whether it is `multiprocess`' own helper."""
    try:
        return "resource_tracker" in " ".join(process.cmdline())
    except psutil.Error:  # a zombie: somebody's leftover
        return False


def watched(host: Host, name: str, **request: Any) -> dict[str, Any]:
    """Run a job while the loop is watched, and look at what is below the host afterwards."""
    number = host.send("run_and_watch_the_loop", block=f"under_test/{name}:1.0.0", **request)
    seen = host.wait(number, PATIENCE_SECONDS)
    left = {each.pid for each in psutil.Process(host.pid).children(recursive=True) if not is_tracker(each)}

    def is_known() -> bool:
        known = host.ask("processes")
        left.difference_update({known["template"], *known["holders"], *known["spares"]})
        return not left

    with contextlib.suppress(AssertionError):  # else the caller says so
        wait_until(is_known, "a spare that was just being started is ready", PATIENCE_SECONDS / 4)
    seen["left"] = sorted(left)
    return seen


@pytest.mark.usefixtures("machine_to_itself")
@pytest.mark.parametrize("name", ["bomb", "session_bomb"])
def test_a_fork_bomb_is_stopped_killed_and_named_and_the_next_job_is_unharmed(host: Host, name: str) -> None:
    seen = watched(host, name)
    assert (seen["cause"], seen["limit"]) == ("process_limit", "processes"), seen["message"]
    assert "--max-job-processes" in seen["message"]
    assert "explode" in seen["stack"]
    assert (seen["left"], seen["unknown"], seen["stuck"]) == ([], [], False)
    assert seen["on_the_loop"] == 0
    assert seen["longest_turn"] < LONGEST_TURN_SECONDS
    assert host.run("under_test/says", {"text": "well"})["success"]


@pytest.mark.usefixtures("machine_to_itself")
def test_a_bomb_that_outlives_the_child_that_lit_it_leaves_nothing(host: Host) -> None:
    seen = watched(host, "leaves_bomb")
    assert seen["cause"] in ("completed", "process_limit")  # as it was noticed after the result, or before
    assert seen["leftovers"] > 1
    assert (seen["left"], seen["unknown"]) == ([], [])
    assert seen["on_the_loop"] == 0
    assert seen["longest_turn"] < LONGEST_TURN_SECONDS
    assert host.run("under_test/says", {"text": "well"})["success"]


def test_a_chain_of_processes_in_sessions_of_their_own_is_cleared_at_once(host: Host) -> None:
    seen = watched(host, "chain", parameters={"mb": 150}, limits=PATIENT)
    assert seen["cause"] == "completed"
    assert seen["leftovers"] >= 150
    assert seen["left"] == []
    assert seen["rounds"] < MOST_ROUNDS  # without a walk to its end, a round for each of them


def test_processes_that_live_for_a_moment_each_are_caught(host: Host) -> None:
    seen = watched(host, "comets")
    assert seen["cause"] == "completed"
    assert (seen["left"], seen["unknown"], seen["stuck"]) == ([], [], False)


def test_threads_count_as_processes_do(host: Host) -> None:
    assert host.run("under_test/many_threads", {"mb": MOST_PROCESSES + 20})["cause"] == "process_limit"
    assert host.run("under_test/many_threads", {"mb": MOST_PROCESSES // 2})["cause"] == "completed"


def test_each_child_has_its_limits_and_a_file_that_grows_too_large_is_an_error_that_a_block_sees(
    host: Host,
) -> None:
    seen = value(host.run("under_test/limits", {"mb": 4}))
    assert seen["RLIMIT_CORE"] == [0, 0]
    assert seen["RLIMIT_NOFILE"] == [300, 300]
    assert seen["RLIMIT_FSIZE"] == [3 * 2**20] * 2
    assert seen["error"] == errno.EFBIG
    # It counts what the user runs in all, the worker and other jobs included: only for a user of the job's own.
    assert seen["RLIMIT_NPROC"] != [7, 7]


def test_the_last_processes_of_the_user_are_the_worker_s(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A bomb that has taken all of them is ended by threads, of which the kernel must still give some."""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    most = 5000 if hard == resource.RLIM_INFINITY else min(hard, 5000)
    if most <= 128:
        pytest.skip("this user may have too few processes to keep some back")
    with hosted(tmp_path_factory.mktemp("reserve"), prefix=("prlimit", f"--nproc={most}:{most}")) as limited:
        assert value(limited.run("under_test/limits"))["RLIMIT_NPROC"] == [most - 64, most - 64]


def test_spawned_children_have_the_same_limits(tmp_path_factory: pytest.TempPathFactory) -> None:
    with hosted(
        tmp_path_factory.mktemp("spawned"), spawn=True, confinement={"max_open_files": 300}
    ) as spawning:
        assert value(spawning.run("under_test/limits"))["RLIMIT_NOFILE"] == [300, 300]


def test_a_limit_above_the_worker_s_own_is_lowered_to_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with hosted(
        tmp_path_factory.mktemp("lowered"),
        prefix=("prlimit", "--nofile=500:500"),
        confinement={"max_open_files": 1024},
    ) as lowered:
        assert value(lowered.run("under_test/limits"))["RLIMIT_NOFILE"] == [500, 500]
