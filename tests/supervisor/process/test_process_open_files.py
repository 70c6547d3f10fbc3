"""The worker takes as many descriptors as it may have, and a job gets at most half as many, however few these are."""

import json
import os
import subprocess
import sys

import pytest

from supervisor.process import open_files as open_files_module

LOOK = """
import json, resource
from supervisor.process.open_files import allow_most, most_of_a_job, most_open_files
before = most_open_files()
allow_most()
print(json.dumps([before, resource.getrlimit(resource.RLIMIT_NOFILE)[0], most_of_a_job(1024)]))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "worker", "job"),
    [(500, 4096, 4096, 1024), (1024, 1024, 1024, 512), (300, 1600, 1600, 800), (64, 64, 64, 32)],
)
def test_the_worker_takes_what_it_may_and_a_job_gets_at_most_half_of_it(
    soft: int, hard: int, worker: int, job: int
) -> None:
    done = subprocess.run(
        ["prlimit", f"--nofile={soft}:{hard}", sys.executable, "-c", LOOK],
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(done.stdout) == [worker, worker, job]


@pytest.mark.parametrize(
    ("limits", "most"), [((1024, -1), 65_536), ((1024, 10**9), 65_536), ((10**6, 10**6), 10**6)]
)
def test_of_a_billion_only_as_many_are_taken_as_could_be_needed_and_none_are_given_up(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], most: int
) -> None:
    monkeypatch.setattr(open_files_module.resource, "getrlimit", lambda _: limits)
    assert open_files_module.most_open_files() == most
