"""The processor time of jobs: what counts, how often it is looked at, and that a look that fails ends nothing."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as some
from watch_faults import no_descriptor

from supervisor.process.cgroups.cgroup import WITHOUT
from supervisor.process.cpu_time import cpu_seconds_of
from supervisor.process.proc import tree_below
from supervisor.watch import cpu as cpu_module
from supervisor.watch import rounds as rounds_module
from supervisor.watch.cpu import LEAST_PAUSE_SECONDS, MOST_PAUSE_SECONDS, CpuMeter, CpuWatch, pause_before
from tests.patience import PATIENCE_SECONDS, wait_until

USES = """
import os, sys, time
def use(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
use(0.3)
print("used before", flush=True)
sys.stdin.readline()
for _ in range(5):
    if os.fork() == 0:
        use(0.1)
        os._exit(0)
    os.wait()
if os.fork() == 0:
    use(0.2)
    os._exit(0)
os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
print("used", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that has used 0.3 s; after a line, 0.5 s in children that it waits for, and 0.2 s in a zombie."""
    command = [sys.executable, "-c", USES]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "used before\n"
        yield process


def test_what_ended_and_was_waited_for_counts_and_what_was_used_before_does_not(
    process: subprocess.Popen[str],
) -> None:
    meter = CpuMeter(process.pid, WITHOUT)
    assert meter.used_seconds() < 0.05
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "used\n"
    # Of each process less than a tick is missing.
    assert 0.6 < meter.used_seconds() < 1.5


def test_the_time_of_a_cgroup_counts_and_no_process_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_module, "tree_below", lambda *_, **__: pytest.fail("looked at"))
    counted = iter([2.0, 2.0, 5.5])
    meter = CpuMeter(os.getpid(), SimpleNamespace(cpu_seconds=lambda: next(counted)))  # type: ignore[arg-type]
    assert meter.used_seconds() == 3.5


def test_a_parent_is_read_before_its_children_so_that_nothing_counts_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever ends and is waited for in between would be in its own figure, and in its parent's."""
    read: list[int] = []
    monkeypatch.setattr(cpu_module, "cpu_seconds_of", lambda pids: read.extend(pids) or 0.0)
    with subprocess.Popen(["sh", "-c", "sh -c 'sleep 60 & wait' & wait"]) as shell:
        wait_until(lambda: len(tree_below([shell.pid]).parents) == 3)
        try:
            CpuMeter(shell.pid, WITHOUT)
            parents = tree_below([shell.pid]).parents
            assert read[0] == shell.pid
            assert [parents[pid] for pid in read[1:]] == read[:-1]
        finally:
            for pid in read:
                os.kill(pid, signal.SIGKILL)


def test_who_has_ended_counts_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait(PATIENCE_SECONDS)
    assert cpu_seconds_of([process.pid]) == 0


@given(some.floats(-1, 1e6), some.integers(1, 512))
def test_between_two_looks_no_job_can_pass_its_limit_by_more_than_all_processors_do_in_the_shortest_pause(
    left_seconds: float, processors: int
) -> None:
    pause = pause_before(left_seconds, processors)
    assert LEAST_PAUSE_SECONDS <= pause <= MOST_PAUSE_SECONDS
    most_used = pause * processors
    assert most_used <= max(left_seconds, LEAST_PAUSE_SECONDS * processors) + 1e-6


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that follow one another at once."""
    monkeypatch.setattr(cpu_module, "LEAST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(cpu_module, "MOST_PAUSE_SECONDS", 0.01)


class Seen:
    """What the watch of a process delivers."""

    def __init__(self) -> None:
        self.figures = asyncio.Queue[float]()
        self.failures = asyncio.Queue[str]()

    def begin(self, watch: CpuWatch, pid: int, limit: float | None = 1.0) -> None:
        watch.watch(pid, limit, WITHOUT, self.figures.put_nowait, self.failures.put_nowait)

    async def figure(self) -> float:
        return await asyncio.wait_for(self.figures.get(), PATIENCE_SECONDS)

    async def failure(self) -> str:
        return await asyncio.wait_for(self.failures.get(), PATIENCE_SECONDS)


@pytest.mark.usefixtures("soon")
async def test_a_watch_goes_on_after_looks_that_failed() -> None:
    watch, seen = CpuWatch(), Seen()
    seen.begin(watch, os.getpid())
    await seen.figure()
    with no_descriptor():
        assert await seen.failure() == "Too many open files"
    while not seen.figures.empty():
        seen.figures.get_nowait()
    await seen.figure()
    await watch.close()


@pytest.mark.usefixtures("soon")
async def test_a_job_that_can_not_be_read_keeps_no_other_from_being_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch, broken, seen = CpuWatch(), Seen(), Seen()
    broken.begin(watch, os.getppid())
    seen.begin(watch, os.getpid())

    def used(meter: CpuMeter) -> float:
        if meter._pid == os.getppid():
            raise OSError(5, "Input/output error")
        return 0.5

    monkeypatch.setattr(CpuMeter, "used_seconds", used)
    assert await broken.failure() == "Input/output error"
    while await seen.figure() != 0.5:
        pass
    await watch.close()


@pytest.mark.usefixtures("soon")
async def test_while_a_look_hangs_every_job_is_told_that_nobody_looks_also_one_that_begins_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds_module, "LATE_SECONDS", 0.01)
    go_on = threading.Event()

    def used(meter: CpuMeter) -> float:
        assert go_on.wait(PATIENCE_SECONDS)
        return 0.0

    watch, hangs, meanwhile = CpuWatch(), Seen(), Seen()
    hangs.begin(watch, os.getpid())
    monkeypatch.setattr(CpuMeter, "used_seconds", used)
    try:
        assert "no answer" in await hangs.failure()
        meanwhile.begin(watch, os.getppid())
        assert "no answer" in await meanwhile.failure()
    finally:
        go_on.set()
    await meanwhile.figure()
    await watch.close()


@pytest.mark.usefixtures("soon")
async def test_a_job_without_a_limit_and_one_that_is_forgotten_are_not_looked_at() -> None:
    watch, unlimited, forgotten, seen = CpuWatch(), Seen(), Seen(), Seen()
    unlimited.begin(watch, os.getpid(), None)
    assert not watch._tasks, "something runs for nobody"
    forgotten.begin(watch, os.getpid())
    watch.forget(os.getpid())
    seen.begin(watch, os.getppid())
    await seen.figure()
    await watch.close()
    assert unlimited.figures.empty()
    assert forgotten.figures.empty()


async def test_a_job_that_is_near_its_limit_does_not_wait_for_one_that_is_far_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So much later than the other that no machine is late enough for both to be due.
    monkeypatch.setattr(cpu_module, "MOST_PAUSE_SECONDS", 2 * PATIENCE_SECONDS)
    watch, far, near = CpuWatch(), Seen(), Seen()
    watch._processors = 1
    far.begin(watch, os.getppid(), 1e6)
    await asyncio.sleep(0)  # by now it waits for the first
    near.begin(watch, os.getpid(), 0.01)
    await near.figure()
    assert far.figures.empty()
    await watch.close()
