"""The floor is measured in forks of a template that has the blocks, and shown beside the worker."""

import json
import subprocess
import sys

from tests.programs.bench.counts.measuring import BLOCKS
from tests.programs.bench.floor.__main__ import WORKER, Row, table
from tests.programs.bench.floor.forks import JOB, NOTHING


def test_a_fork_that_runs_a_job_copies_more_pages_than_one_that_ends_at_once() -> None:
    command = [sys.executable, "-m", "tests.programs.bench.floor.forks", *BLOCKS]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    found = json.loads(ended.stdout)
    assert list(found) == [NOTHING, JOB]
    assert min(fork["page_faults"] for fork in found[JOB]) > 2 * max(
        fork["page_faults"] for fork in found[NOTHING]
    )


def test_blocks_that_can_not_be_imported_are_no_floor() -> None:
    command = [sys.executable, "-m", "tests.programs.bench.floor.forks", "no.such.module"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode != 0
    assert ended.stdout == ""


def test_what_was_not_measured_is_left_blank() -> None:
    *_, line = table([Row(NOTHING, 1.0, 2.0, 3.0), Row(WORKER, None, 20.0, 2000.0)]).splitlines()
    assert line.split() == [*WORKER.split(), "20.00", "2000"]
