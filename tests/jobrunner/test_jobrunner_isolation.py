"""What a job has to itself, and what it does not see of another (I5)."""

import json
import os
from typing import Any

from hosting import Host

from tests.patience import wait_until


def data(done: dict[str, Any]) -> dict[str, Any]:
    assert done["cause"] == "completed", done["message"]
    found: dict[str, Any] = json.loads(done["body"])["data"]
    return found


def test_a_job_sees_nothing_of_what_the_last_one_left(host: Host) -> None:
    changed = data(host.run("writes_env", {"name": "LEFT_HERE", "value": "left"}))
    assert "LEFT_HERE" in changed["environment"]
    seen = data(host.run("read_state"))
    assert "LEFT_HERE" not in seen["environment"]
    assert (seen["files"], seen["left_by_earlier_jobs"]) == ([], [])
    assert seen["pid"] != changed["pid"]
    assert seen["working_directory"] != changed["working_directory"]


def test_a_job_leads_a_group_in_a_session_of_its_own_and_has_a_directory_and_one_thread(host: Host) -> None:
    seen = data(host.run("read_state"))
    assert seen["group_id"] == seen["pid"]
    # Not another one's at the same time: see the tests of session holders. A later job may have it.
    assert seen["session_id"] not in (seen["pid"], os.getsid(host.pid))
    assert seen["working_directory"].startswith(str(host.directory / "jobs"))
    assert seen["threads"] == ["MainThread"]
    assert seen["argv"] == ["neops-job"]


def test_a_terminal_that_a_job_opens_and_closes_does_not_end_it(host: Host) -> None:
    """Who leads a session gets it as the controlling terminal, whose end is a SIGHUP."""
    assert data(host.run("under_test/opens_terminal"))["value"] == {
        "controlling": False,
        "in_a_session": True,
    }


def test_home_and_temporary_files_are_in_the_job_s_own_directory_and_removed_after_it(host: Host) -> None:
    value = data(host.run("under_test/temporary_file"))["value"]
    assert value["home"] == value["directory"]
    assert value["file"].startswith(value["directory"] + "/")
    wait_until(host.has_no_job_directory)


def test_the_deadline_that_a_block_is_told_is_the_worker_s(host: Host) -> None:
    value = data(host.run("under_test/deadline", limits={"max_job_seconds": 7.0}))["value"]
    assert 5 < value["remaining"] <= 7
    assert value["directory"].startswith(str(host.directory / "jobs"))


def test_core_files_are_off_and_a_job_goes_first_when_memory_runs_out(host: Host) -> None:
    value = data(host.run("under_test/containment"))["value"]
    assert value == {"core": [0, 0], "oom_score_adj": "500", "no_new_privileges": "1"}


def test_eight_jobs_at_a_time_do_not_mix(host: Host) -> None:
    numbers = [host.start("under_test/says", parameters={"text": f"job {number}"}) for number in range(8)]
    for number, request in enumerate(numbers):
        assert data(host.wait(request))["value"] == f"job {number}"
