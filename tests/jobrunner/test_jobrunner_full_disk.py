"""A job that fills the disk on which the jobs' directories are: it fails, and the next one does not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosting import Host, hosted

from tests.capabilities import mounting
from tests.patience import wait_until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Host]:
    """A host in a mount namespace of its own, whose jobs have a disk of 4 MiB."""
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    prefix = mounting(f"mount -t tmpfs -o size=4m tmpfs '{jobs}'")
    with hosted(tmp_path, prefix=prefix) as host:
        yield host


def test_a_full_disk_is_the_failure_of_the_job_that_filled_it(small_disk: Host) -> None:
    done = small_disk.run("fill_disk", {"max_mb": 50})
    assert (done["success"], done["cause"]) == (False, "block_raised")
    assert "No space left" in done["message"]
    assert small_disk.run("writes_env")["cause"] == "completed"


def test_while_the_disk_is_full_other_jobs_get_a_truthful_result(small_disk: Host) -> None:
    running = small_disk.start("fill_disk", parameters={"max_mb": 50, "hold_seconds": 600})
    # Seen through the host's own root, as the disk is mounted for it alone. Not asked of another job: the one page
    # that such a job had and gave back would do for the next.
    disk = f"/proc/{small_disk.pid}/root{small_disk.directory}/jobs"
    wait_until(lambda: os.statvfs(disk).f_bfree == 0)
    done = small_disk.run("writes_env")
    assert done["cause"] == "block_raised"
    assert "No space left" in done["message"]
    small_disk.ask("stop_all")
    assert small_disk.wait(running)["cause"] == "worker_stopping"
