"""The jobs that a worker has, from their claim to their result, with what is known of each."""

import time

import pytest

from supervisor.job.view import JobView
from supervisor.verdict import Limits
from supervisor.watch.look import Sample
from supervisor.worker.running_jobs import RunningJobs
from tests.supervisor.worker.claimed_job import claimed_job


class Scene:
    """Running jobs by a clock that a test sets, and what their runner would say of them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.views: dict[str, JobView] = {}
        self.jobs = RunningJobs(self.views.get, lambda: self.now)

    @property
    def states(self) -> list[str]:
        return [job.state for job in self.jobs.listed()]


def test_a_job_is_listed_in_each_of_its_states_and_no_longer_than_it_is_here() -> None:
    scene = Scene()
    claimed = claimed_job("j-1")
    scene.jobs.enter(claimed)
    assert scene.states == ["waiting"]
    claimed.slot = 2
    assert scene.states == ["starting"]
    claimed.pid = 4711
    scene.views["j-1"] = JobView(4711, "running", Limits(600, 10), None, None, "")
    assert scene.states == ["running"]
    scene.views.clear()
    assert scene.states == ["reporting"]
    scene.jobs.leave(claimed)
    assert scene.states == []


def test_a_job_s_time_is_that_since_its_start_and_before_it_since_its_claim() -> None:
    scene = Scene()
    claimed = claimed_job("j-1", waits_since=scene.now)
    scene.jobs.enter(claimed)
    scene.now += 5
    assert scene.jobs.listed()[0].seconds == 5
    claimed.slot = 0
    claimed.start(4711, scene.now)
    scene.now += 2
    assert scene.jobs.listed()[0].seconds == 2


def test_a_wall_clock_that_is_set_changes_nothing_of_a_job_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    claimed = claimed_job("j-1", at=time.time(), waits_since=scene.now)
    scene.jobs.enter(claimed)
    claimed.start(4711, scene.now)
    begun = time.time()
    monkeypatch.setattr(time, "time", lambda: begun - 3600)
    scene.now += 2
    job = scene.jobs.listed()[0]
    assert job.seconds == 2
    assert job.started_at is not None
    assert job.started_at <= begun


def test_what_the_sampler_and_the_log_know_is_told_in_the_units_of_the_names() -> None:
    scene = Scene()
    scene.jobs.enter(claimed_job("j-1"))
    sample = Sample(memory_mb=1.5, cpu_seconds=0.25, threads=3, descendants=1)
    limits = Limits(60, 5, 100, stall_seconds=10, processes=64)
    scene.views["j-1"] = JobView(4711, "running", limits, sample, 12.5, "last")
    job = scene.jobs.find("j-1")
    assert job is not None
    assert (job.memory_bytes, job.cpu_seconds, job.processes) == (1_572_864, 0.25, 3)
    assert (job.stalled_seconds, job.last_line) == (12.5, "last")
    assert job.limits["memory_bytes"] == 100 * 2**20
    assert scene.jobs.find("another") is None
