"""`--start-method spawn`: slower, and in everything else the same."""

import json
import os
from collections.abc import Iterator

import pytest
from hosting import Host, alive_with, hosted, signals_are_contained

from tests.patience import wait_until


@pytest.fixture(scope="module")
def spawning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that starts an interpreter for each job, with two spares to make up for it."""
    with hosted(tmp_path_factory.mktemp("spawning"), spawn=True, spares=2) as host:
        yield host


def test_a_spawned_child_has_the_same_identity_as_a_forked_one(spawning: Host) -> None:
    seen = json.loads(spawning.run("under_test/identity")["body"])["data"]["value"]
    assert (seen["argv"], seen["main_names"], seen["daemon"]) == (["neops-job"], [], False)
    assert seen["modules"] == []
    state = json.loads(spawning.run("read_state")["body"])["data"]
    assert (state["parent_pid"], state["group_id"]) == (spawning.pid, state["pid"])
    assert state["session_id"] not in (state["pid"], os.getsid(spawning.pid))
    assert set(state["descriptors"]) >= {"0", "1", "2", "3", "4"}
    assert state["threads"] == ["MainThread"]


@pytest.mark.parametrize(
    ("name", "parameters", "cause", "said"),
    [
        ("segfault", {}, "crashed", "SIGSEGV"),
        ("exit_code", {"code": 7}, "exited", "exit code 7"),
        ("raise_error", {}, "block_raised", "ValueError"),
    ],
)
def test_a_spawned_child_s_end_is_told_as_truthfully(
    spawning: Host, name: str, parameters: dict[str, int], cause: str, said: str
) -> None:
    done = spawning.run(name, parameters)
    assert (done["cause"], said in done["message"]) == (cause, True)
    assert done["peak_memory_mb"] > 1


def test_a_terminal_that_a_spawned_child_opens_and_closes_does_not_end_it(spawning: Host) -> None:
    assert spawning.run("under_test/opens_terminal")["cause"] == "completed"


@pytest.mark.skipif(not signals_are_contained(), reason="this kernel is older than Linux 6.12")
def test_a_block_in_a_spawned_child_can_not_kill_the_worker(spawning: Host) -> None:
    done = spawning.run("kill_parent")
    assert (done["cause"], "PermissionError" in done["message"]) == ("block_raised", True)


def test_a_spawned_child_and_its_tree_are_killed_at_the_limit(spawning: Host) -> None:
    marker = f"spawned-tree-{os.getpid()}"
    limits = {"max_job_seconds": 4.0, "grace_seconds": 0.0}
    done = spawning.run("ignore_sigterm_tree", {"marker": marker}, limits=limits)
    assert (done["cause"], done["leftovers"] in (3, 4)) == ("time_limit", True)
    assert "descendants.py" in done["stack"]
    assert alive_with(marker) == []


def test_jobs_in_spawned_children_leave_nothing_open(spawning: Host) -> None:
    spawning.run("slow", {"seconds": 0})
    before = spawning.ask("descriptors")["count"]
    for _ in range(2):
        assert spawning.run("slow", {"seconds": 0})["cause"] == "completed"
    wait_until(lambda: spawning.ask("descriptors")["count"] <= before)
    assert spawning.ask("processes")["unknown"] == []


def test_a_supervisor_without_descriptors_does_not_spawn_without_a_pause(spawning: Host) -> None:
    seen = spawning.ask("starts_without_descriptors")
    assert 1 <= seen["attempts"] <= 3
    assert seen["leaked"] == 0
