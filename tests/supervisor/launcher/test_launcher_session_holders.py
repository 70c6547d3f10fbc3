"""Children are forked once, each into a session that it does not lead and shares with no other job."""

import errno
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosting import STANDARD_SOURCES, Host, hosted, is_alive

from jobrunner.isolation.landlock import abi_of_the_kernel
from supervisor.log.events.processes import SessionHolderReplaced
from tests.patience import wait_until

STOPS_BEFORE_IT_ANNOUNCES = """
import os, signal
from pathlib import Path

STOP = Path({stop!r})

def stop():
    if STOP.exists():
        STOP.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)

os.register_at_fork(after_in_parent=stop)
"""

FORBIDS_IT = """
from jobrunner.isolation.call_filter import refuse_calls_that_reach_beyond

refuse_calls_that_reach_beyond()
"""


TIMES_OUT_SOON = """
import socket

socket.setdefaulttimeout(0.02)
"""


@pytest.fixture(scope="module")
def stop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is there, the next holder that has forked stops, before it announces its child."""
    return tmp_path_factory.mktemp("stop") / "stop"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, stop: Path) -> Iterator[Host]:
    """A host without spares, so that children are started by the scenarios alone."""
    directory = tmp_path_factory.mktemp("sessions")
    module = directory / "stops.py"
    module.write_text(STOPS_BEFORE_IT_ANNOUNCES.format(stop=str(stop)))
    sources = [*STANDARD_SOURCES, str(module)]
    with hosted(directory, spares=0, sources=sources) as host:
        yield host


def test_children_that_live_at_once_are_in_sessions_of_their_own_which_they_do_not_lead(host: Host) -> None:
    seen = host.ask("children_at_once", count=3)
    children = seen["children"]
    assert seen["forks_once"] is True
    assert len({child["session"] for child in children}) == 3
    assert {child["session"] for child in children} <= set(seen["holders"])
    assert all(child["session"] != child["pid"] == child["group"] for child in children)
    assert {(child["parent"], child["terminal"]) for child in children} == {(host.pid, 0)}


def test_a_session_whose_child_has_ended_is_used_again(host: Host) -> None:
    host.ask("children_at_once", count=2)
    before = host.ask("children_at_once", count=2)
    after = host.ask("children_at_once", count=2)
    sessions = [{child["session"] for child in seen["children"]} for seen in (before, after)]
    assert sessions[0] == sessions[1]
    assert before["holders"] == after["holders"]


def test_a_sweep_leaves_a_child_alone_that_was_not_announced_yet(host: Host, stop: Path) -> None:
    seen = host.ask("sweep_before_the_announcement", stop=str(stop))
    assert (seen["killed"], seen["child"]) == (0, seen["unannounced"])


def test_a_child_that_will_never_be_announced_ends_and_another_takes_its_place(
    host: Host, stop: Path
) -> None:
    seen = host.ask("holder_killed_before_the_announcement", stop=str(stop))
    assert seen["child"] != seen["unannounced"]


def test_what_a_template_has_forked_and_not_announced_when_it_is_killed_is_waited_for_without_a_job(
    host: Host, stop: Path
) -> None:
    seen = host.ask("template_killed_before_the_announcement", stop=str(stop))
    assert not is_alive(seen["unannounced"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_holder_that_is_killed_or_stopped_is_replaced_and_the_child_comes(host: Host, number: int) -> None:
    seen = host.ask("holder_signalled", signal=number)
    assert seen["session"] != seen["signalled"]
    assert seen["signalled"] not in seen["holders"]
    assert seen["signalled"] in [told["pid"] for told in host.events(SessionHolderReplaced)]


def test_a_job_can_not_leave_its_groups_for_that_of_its_session_s_holder(tmp_path: Path) -> None:
    with hosted(tmp_path, spares=0) as host:
        for _ in range(2):
            seen = json.loads(host.run("under_test/joins_groups")["body"])["data"]["value"]
            assert seen == {"refused": [errno.EPERM] * 3, "moved": True}
        assert not host.events(SessionHolderReplaced)


def test_a_holder_that_is_not_used_ends_and_its_child_goes_on(host: Host) -> None:
    seen = host.ask("unused_holders")
    assert seen["before"]
    assert seen["lived"] == [True, True]
    assert not set(seen["before"]) & set(seen["holders"])


def test_a_block_s_default_timeout_of_sockets_ends_no_holder(tmp_path: Path) -> None:
    module = tmp_path / "times_out_soon.py"
    module.write_text(TIMES_OUT_SOON)
    with hosted(tmp_path, spares=0, sources=["blocks.testing", str(module)]) as host:
        holders = host.ask("children_at_once", count=2)["holders"]
        # One of the two waits all the time, the other one from the start of this job's child on.
        assert host.run("slow", {"seconds": 0.3})["cause"] == "completed"
        assert host.ask("children_at_once", count=2)["holders"] == holders
        assert not host.events(SessionHolderReplaced)


def test_children_beyond_the_most_holders_are_forked_twice_and_have_sessions_of_their_own(
    tmp_path: Path,
) -> None:
    with hosted(tmp_path, spares=0) as host:
        seen = host.ask("most_holders", count=3, most=1)
        children = seen["children"]
        assert len(seen["holders"]) == 1
        assert len({child["session"] for child in children}) == 3
        assert {child["parent"] for child in children} == {host.pid}


@pytest.mark.skipif(
    not os.path.exists("/proc/self/autogroup"), reason="this kernel does not share processors by session"
)
def test_the_next_job_does_not_inherit_the_priority_that_a_job_has_given_its_session(host: Host) -> None:
    seen = host.ask("share_changed")
    assert seen["after"] != seen["before"]
    assert seen["nice"] == "0"


@pytest.mark.skipif(
    not os.path.exists("/proc/self/autogroup"), reason="this kernel does not share processors by session"
)
def test_children_start_also_when_somebody_has_given_the_template_less_of_the_processors(
    tmp_path: Path,
) -> None:
    """A job may do that, too, where it is not kept from it: a holder is a fork of the template."""
    with hosted(tmp_path, spares=0) as host:
        seen = host.ask("share_of_the_template_changed")
        assert seen["nice"] == "0"
        assert seen["holders"]


def test_where_the_kernel_forbids_it_children_are_forked_twice(tmp_path: Path) -> None:
    module = tmp_path / "forbids.py"
    module.write_text(FORBIDS_IT)
    sources = ["blocks.testing", str(module)]
    with hosted(tmp_path, spares=0, sources=sources) as host:
        seen = host.ask("children_at_once", count=2)
        assert (seen["forks_once"], seen["holders"]) == (False, [])
        assert all(child["parent"] == host.pid for child in seen["children"])
        assert len({child["session"] for child in seen["children"]}) == 2
        assert host.run("slow", {"seconds": 0})["cause"] == "completed"


@pytest.mark.skipif(abi_of_the_kernel() < 1, reason="this kernel has no Landlock, so that no file is held")
def test_nobody_holds_a_removed_file_once_it_is_let_go_of_also_where_jobs_leave_the_template_unasked(
    tmp_path: Path,
) -> None:
    closed, file = tmp_path / "state", tmp_path / "large"
    closed.mkdir()
    file.touch()
    isolation = {"landlock_abi": abi_of_the_kernel(), "files": {"closed": [str(closed)]}}
    with hosted(tmp_path / "host", isolation=isolation) as host:
        assert "template" in host.ask("file_removed", file=str(file))["held"]


def test_holders_end_with_the_worker_also_when_it_is_killed(tmp_path: Path) -> None:
    with hosted(tmp_path, spares=0) as host:
        holders = host.ask("children_at_once", count=2)["holders"]
        assert all(map(is_alive, holders))
        os.kill(host.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, holders)))
