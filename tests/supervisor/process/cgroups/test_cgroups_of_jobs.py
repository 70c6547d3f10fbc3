"""Jobs in cgroups of their own, by both start methods: true causes, truthful counts, and nothing left."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cgroups_left import directories_of
from hosting import BLOCKS, TESTING, Host, alive_with, hosted

from supervisor.log.events.processes import CgroupsFound
from supervisor.process.cgroups.cgroup import Role
from supervisor.watch.sampler import IDLE_SECONDS
from tests.patience import PATIENCE_SECONDS, wait_until

HUNGRY = str(Path(__file__).with_name("hungry_blocks.py"))
FAST = {"mb": 400, "mb_per_second": 100_000, "hold_seconds": 0}
ROOMY = {"max_job_memory_mb": 5000.0}


@contextlib.contextmanager
def host_with_cgroups(directory: Path, **options: Any) -> Iterator[Host]:
    sources = ("blocks.testing", BLOCKS, HUNGRY)
    with hosted(directory, cgroups=True, sources=sources, **options) as host:
        (found,) = host.events(CgroupsFound)
        if found["cgroups"].startswith("none ("):
            pytest.skip(f"no cgroup can be made here: {found['message']}")
        yield host
    assert directories_of(directory / "state") == []


@pytest.fixture(scope="module", params=["template", "spawn"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    directory = tmp_path_factory.mktemp("jobs-in-cgroups")
    with host_with_cgroups(directory, spawn=request.param == "spawn") as host:
        yield host


def jobs_cgroups(host: Host) -> set[str]:
    """The names of the children's cgroups."""
    found = directories_of(host.directory / "state")
    tops = [path for path in found if path.name.startswith("neops-worker-")]
    return {path.name for path in found if path not in tops}


def test_a_job_that_outgrows_its_limit_between_two_samples_is_ended_by_the_kernel_which_proves_it(
    host: Host, need: Callable[[Role], None]
) -> None:
    need("memory")
    block = f"{TESTING}takes_at_once:1.0.0"
    limits = {"max_job_memory_mb": 100}
    seen = host.ask("run_unsampled", block=block, parameters={"mb": 400}, limits=limits)
    assert (seen["cause"], seen["signal"], seen["killed"]) == ("memory_limit", "SIGKILL", False)
    assert "by the kernel at its memory limit of 100 MB" in seen["message"]
    assert "proves" in seen["message"]


def test_a_job_that_outgrows_its_limit_slowly_has_the_same_cause_however_it_is_caught(host: Host) -> None:
    slow = {"mb": 400, "mb_per_second": 120, "hold_seconds": 0}
    seen = host.run("eat_memory", slow, limits={"max_job_memory_mb": 100})
    assert seen["cause"] == "memory_limit"
    assert "memory limit of" in seen["message"] or "of 100 MB" in seen["message"]


def test_a_job_below_its_limit_succeeds(host: Host, request: pytest.FixtureRequest) -> None:
    """The pages it shares with the template are not charged to it, nor is what the child took before its order.

    A spawned child shares none: to those who sample it, its interpreter is its own memory.
    """
    mb = 30 if request.node.callspec.params["host"] == "spawn" else 60
    asked = FAST | {"mb": mb, "hold_seconds": 1.5 * IDLE_SECONDS}  # until it was sampled
    seen = host.run("eat_memory", asked, limits={"max_job_memory_mb": 100})
    assert seen["success"], seen["message"]
    assert seen["warning"] is None


def test_a_job_without_a_limit_succeeds(host: Host) -> None:
    assert host.run("eat_memory", FAST)["success"]


def test_a_fresh_jobs_cgroup_is_charged_next_to_nothing(host: Host, need: Callable[[Role], None]) -> None:
    need("memory")
    used = host.run("charged", limits=ROOMY)
    assert used["success"], used["message"]
    assert 0 < float(used["body"].partition('"value":')[2].partition("}")[0]) < 16


def test_files_in_a_tmpfs_count(host: Host, need: Callable[[Role], None]) -> None:
    need("memory")
    seen = host.run("fills_tmpfs", {"mb": 300}, limits={"max_job_memory_mb": 100})
    assert seen["cause"] == "memory_limit", seen["message"]


def test_a_descendant_at_the_limit_is_told_though_the_job_succeeds(
    host: Host, need: Callable[[Role], None]
) -> None:
    """Version 1 ends the largest process; version 2 is told to end all of them, the child included."""
    need("memory")
    seen = host.run("hungry_descendant", {"mb": 300}, limits={"max_job_memory_mb": 100})
    if seen["success"]:
        assert "the kernel ended 1 of its process(es)" in seen["warning"]
        assert "limit of 100 MB" in seen["warning"]
    else:
        assert seen["cause"] == "memory_limit"


def test_sigkill_from_elsewhere_is_never_called_a_memory_limit(host: Host) -> None:
    seen = host.run("kills_itself", limits={"max_job_memory_mb": 100})
    assert (seen["cause"], seen["signal"]) == ("crashed", "SIGKILL")
    assert "memory limit" not in seen["message"]
    assert "not sent by this worker" in seen["message"]


@pytest.mark.parametrize("name", ["leave_behind", "ignore_sigterm_tree"])
def test_what_a_job_leaves_is_killed_and_counted_once(host: Host, name: str) -> None:
    marker = f"in-cgroup-{os.getpid()}-{name}"
    limits = {"max_job_seconds": 2 * PATIENCE_SECONDS}
    running = host.start(name, parameters={"marker": marker}, limits=limits)
    if name == "ignore_sigterm_tree":
        wait_until(lambda: len(alive_with(marker)) >= 3, "the tree is there")
        host.ask("end_now", of=running)
    seen = host.wait(running)
    assert alive_with(marker) == []
    # The process between the two forks of the daemon may not have ended yet.
    assert seen["leftovers"] in {3, 4}


@pytest.mark.usefixtures("machine_to_itself")
def test_a_fork_bomb_that_leaves_its_session_is_gone_with_its_job(host: Host) -> None:
    marker = f"bomb-{os.getpid()}"
    seen = host.run("restless", {"marker": marker}, limits={"max_job_seconds": 2.0})
    assert seen["cause"] == "time_limit"
    assert alive_with(marker) == []


def test_what_is_in_the_cgroup_is_killed_whosever_child_it_is(tmp_path: Path) -> None:
    """A search for orphans does not find it: only the cgroup tells that it belongs to the job.

    Without the isolation, under which a job can't write to a cgroup.
    """
    with (
        host_with_cgroups(tmp_path, spawn=False, isolation={}) as host,
        subprocess.Popen(["sleep", "600"]) as outsider,
    ):
        try:
            seen = host.run("takes_in", {"pid": outsider.pid})
            assert seen["success"], seen["message"]
            assert outsider.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        finally:
            outsider.kill()
    assert seen["leftovers"] == 1
    assert seen["warning"] == "it left 1 process(es) behind, which were killed"


def test_cgroups_go_with_their_jobs(host: Host) -> None:
    host.run("kills_itself")
    wait_until(lambda: len(jobs_cgroups(host)) == 1)  # that of the spare
    before = jobs_cgroups(host)
    assert host.run("eat_memory", FAST | {"mb": 1})["success"]
    wait_until(lambda: len(jobs_cgroups(host)) == 1 and jobs_cgroups(host) != before)


def test_the_time_of_processes_that_nobody_has_waited_for_counts(
    host: Host, need: Callable[[Role], None]
) -> None:
    """Without a cgroup it is in no count of the kernel's."""
    need("cpu")
    seen = host.run("under_test/busy_unwaited", limits={"max_job_cpu_seconds": 0.5, "grace_seconds": 0.1})
    assert seen["cause"] == "cpu_limit", seen["message"]
    assert seen["measured"] > 0.5


def test_a_job_that_waits_is_never_at_its_cpu_limit(host: Host) -> None:
    seen = host.run("under_test/sleeps_awhile", limits={"max_job_cpu_seconds": 0.3})
    assert seen["success"], seen["message"]
