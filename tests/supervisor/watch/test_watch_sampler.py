"""Samples: of the living, as often as is promised, and of what ends meanwhile no more than of others."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from virtual_time import VirtualTime

from supervisor.process.cpu_time import cpu_seconds_of
from supervisor.process.memory import NOTHING_INHERITED, Inheritance, memory_of
from supervisor.process.proc import tree_below
from supervisor.process.sleep import ProcessSleep
from supervisor.watch import look as look_module
from supervisor.watch import sampler as sampler_module
from supervisor.watch.look import Look, Sample, Seen, sample_of
from supervisor.watch.rounds import reason_of
from supervisor.watch.sampler import IDLE_SECONDS, NEAR_SECONDS, Sampler
from tests.patience import until, wait_until

BOUND_SECONDS = 50.0
NEAR = 0.001
"""A memory limit in MB that every process is near to, and above."""


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """The clock of the sampler."""
    monkeypatch.setattr(sampler_module, "asyncio", time := VirtualTime())
    return time


@pytest.fixture
async def sampler(time: VirtualTime) -> AsyncIterator[Sampler]:
    sampler = Sampler()
    yield sampler
    await sampler.close()


async def test_a_sampler_that_is_closed_has_nothing_on_its_way() -> None:
    sampler = Sampler()
    sampler.watch(os.getpid(), None, lambda _: None, lambda _: None)
    await asyncio.sleep(0)
    assert sampler._tasks
    await sampler.close()
    assert not sampler._tasks


def no_failure(reason: str) -> None:
    pytest.fail(f"a look failed: {reason}")


def look_at(pid: int, most_tasks: int | None = None) -> Look:
    return Look(pid, most_tasks, Inheritance(NOTHING_INHERITED), ProcessSleep(pid))


def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])


@pytest.fixture
def pair(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]]:
    """Two processes that are looked at as if they ran all the time."""
    monkeypatch.setattr(ProcessSleep, "lasts", lambda self, most_seconds: False)
    processes = sleeper(), sleeper()
    yield processes
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often each process was looked at."""
    counted: Counter[int] = Counter()
    look = sampler_module.look_at

    def counting(looks: list[Look]) -> list[Seen]:
        counted.update(each.pid for each in looks)
        return look(looks)

    monkeypatch.setattr(sampler_module, "look_at", counting)
    return counted


async def test_a_process_that_ends_while_it_is_watched_gives_no_sample_and_is_not_looked_at_more_often(
    sampler: Sampler,
    pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"],
    looks: Counter[int],
) -> None:
    dying, living = pair
    of_the_dead, of_the_living = asyncio.Queue[Sample](), asyncio.Queue[Sample]()
    sampler.watch(dying.pid, NEAR, of_the_dead.put_nowait, no_failure)
    sampler.watch(living.pid, NEAR, of_the_living.put_nowait, no_failure)
    dying.kill()
    dying.wait()
    for _ in range(9):
        await asyncio.wait_for(of_the_living.get(), BOUND_SECONDS)
    assert of_the_dead.empty()
    # The living is looked at every quarter of a second, the dead one a quarter of a second on, and then once a second.
    # Its tenth look may be on its way.
    assert looks[dying.pid] == 3
    assert looks[living.pid] in (9, 10)


async def test_a_job_far_from_its_limit_is_looked_at_once_a_second_and_a_near_one_every_quarter(
    sampler: Sampler,
    time: VirtualTime,
    pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"],
) -> None:
    far, near = pair
    far_times: list[float] = []
    near_times = asyncio.Queue[float]()
    sampler.watch(near.pid, NEAR, lambda _: near_times.put_nowait(time.now), no_failure)
    sampler.watch(far.pid, 1e6, lambda _: far_times.append(time.now), no_failure)
    seen = [await asyncio.wait_for(near_times.get(), BOUND_SECONDS) for _ in range(10)]
    assert seen == [pytest.approx(0.25 * number, abs=0.1) for number in range(1, 11)]
    # The first look is soon: until then nobody knows how near it is.
    assert far_times == [pytest.approx(when, abs=0.1) for when in (0.25, 1.25, 2.25)]


async def test_a_job_without_a_limit_of_memory_is_looked_at_after_a_second(
    sampler: Sampler,
    time: VirtualTime,
    pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"],
) -> None:
    times = asyncio.Queue[float]()
    sampler.watch(pair[0].pid, None, lambda _: times.put_nowait(time.now), no_failure)
    assert await asyncio.wait_for(times.get(), BOUND_SECONDS) == pytest.approx(1.0, abs=0.1)


async def test_a_job_that_comes_when_none_was_left_is_looked_at(
    sampler: Sampler, pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]
) -> None:
    samples = asyncio.Queue[Sample]()
    for process in pair:
        sampler.watch(process.pid, NEAR, samples.put_nowait, no_failure)
        await asyncio.wait_for(samples.get(), BOUND_SECONDS)
        sampler.forget(process.pid)
        while samples.qsize():
            samples.get_nowait()
        for _ in range(20):  # now it waits for the next
            await asyncio.sleep(0.001)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which lane has looked, each time that one did, for who is due next. None is due in the time of a test."""
    monkeypatch.setattr(sampler_module, "IDLE_SECONDS", 1e6)
    seen: list[str] = []
    due_in = Sampler._due_in

    def noting(self: Sampler, lane: sampler_module._Lane) -> object:
        seen.append(lane.name)
        return due_in(self, lane)

    monkeypatch.setattr(Sampler, "_due_in", noting)
    return seen


async def test_the_first_look_at_a_job_does_not_wait_for_that_at_another(
    turns: list[str], pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]
) -> None:
    sampler = Sampler()
    other, new = pair
    sampler.watch(other.pid, None, lambda _: pytest.fail("it was not due"), no_failure)
    await until(lambda: "sampler" in turns, "it waits for the other")
    samples = asyncio.Queue[Sample]()
    sampler.watch(new.pid, NEAR, samples.put_nowait, no_failure)
    await asyncio.wait_for(samples.get(), BOUND_SECONDS)
    await sampler.close()


async def test_a_job_that_is_due_after_another_wakes_nobody(turns: list[str]) -> None:
    """Most jobs are over before their first look. It is to cost them nothing."""
    sampler = Sampler()
    sampler.watch(os.getppid(), None, lambda _: None, no_failure)
    await until(lambda: len(turns) == 2, "both lanes wait")
    for _ in range(5):
        sampler.watch(os.getpid(), None, lambda _: None, no_failure)
        for _ in range(5):
            await asyncio.sleep(0)
        sampler.forget(os.getpid())
    assert len(turns) == 2
    await sampler.close()


async def test_a_look_that_fails_is_tried_again_after_a_quarter_of_a_second(
    sampler: Sampler, time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: object) -> None:
        raise OSError("no descriptor")

    monkeypatch.setattr(sampler_module, "look_at", failing)
    times = asyncio.Queue[float]()
    sampler.watch(os.getpid(), None, lambda _: None, lambda _: times.put_nowait(time.now))
    seen = [await asyncio.wait_for(times.get(), BOUND_SECONDS) for _ in range(4)]
    assert seen == [pytest.approx(when, abs=0.05) for when in (1.0, 1.25, 1.5, 1.75)]


@pytest.mark.parametrize(
    ("memory_mb", "limit_mb", "pause"),
    [
        (79.9, 100.0, IDLE_SECONDS),
        (80.0, 100.0, IDLE_SECONDS),
        (80.1, 100.0, NEAR_SECONDS),
        (500.0, None, IDLE_SECONDS),
    ],
)
def test_above_80_percent_of_the_limit_the_pause_is_a_quarter(
    memory_mb: float, limit_mb: float | None, pause: float
) -> None:
    assert (IDLE_SECONDS, NEAR_SECONDS) == (1.0, 0.25)
    assert sampler_module._pause(Sample(memory_mb, 0, 1, 0), limit_mb) == pause


async def test_a_job_that_has_ended_when_it_is_to_be_watched_is_no_error(
    sampler: Sampler, pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]
) -> None:
    with sleeper() as gone:
        gone.kill()
    sampler.watch(gone.pid, 1.0, lambda _: pytest.fail("it was sampled"), no_failure)
    samples = asyncio.Queue[Sample]()
    sampler.watch(pair[0].pid, 1.0, samples.put_nowait, no_failure)
    await asyncio.wait_for(samples.get(), BOUND_SECONDS)


async def test_what_is_forgotten_while_it_is_looked_at_gets_no_sample(
    sampler: Sampler,
    pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = pair
    look = sampler_module.look_at
    loop = asyncio.get_running_loop()
    forgotten = asyncio.Event()

    def forget_meanwhile(looks: list[Look]) -> list[Seen]:
        async def forget() -> None:
            sampler.forget(one.pid)
            forgotten.set()

        asyncio.run_coroutine_threadsafe(forget(), loop).result(BOUND_SECONDS)
        return look(looks)

    monkeypatch.setattr(sampler_module, "look_at", forget_meanwhile)
    samples, others = asyncio.Queue[Sample](), asyncio.Queue[Sample]()
    sampler.watch(one.pid, NEAR, samples.put_nowait, no_failure)
    sampler.watch(other.pid, NEAR, others.put_nowait, no_failure)
    for _ in range(2):
        await asyncio.wait_for(others.get(), BOUND_SECONDS)
    assert forgotten.is_set()
    assert samples.empty()


def test_a_tree_above_its_limit_of_processes_is_counted_no_further_and_its_memory_is_not_read(
    pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = os.getpid()
    whole = sample_of(look_at(here))
    assert isinstance(whole, Sample)
    assert whole.descendants >= 2
    assert whole.memory_mb > 0
    monkeypatch.setattr(look_module, "memory_of", lambda *_: pytest.fail("memory was read"))
    bounded = sample_of(look_at(here, 1))
    assert isinstance(bounded, Sample)
    assert (bounded.memory_mb, bounded.descendants < whole.descendants) == (0, True)
    assert bounded.threads > 1


def test_the_memory_of_a_job_is_that_of_all_its_processes(
    pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"],
) -> None:
    one, other = (memory_of((process.pid,))[0] for process in pair)
    sample = sample_of(look_at(os.getpid()))
    assert isinstance(sample, Sample)
    assert sample.memory_mb * 2**20 > one + other + memory_of((os.getpid(),))[0] / 2


def test_the_processor_time_of_a_job_is_that_of_all_its_processes() -> None:
    starts = "import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', 'while True: pass'])"
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", starts]) as process:
        program = wait_until(lambda: [pid for pid in tree_below([process.pid]).parents if pid != process.pid])
        try:
            wait_until(lambda: cpu_seconds_of(program) > cpu_seconds_of([process.pid]) + 0.5)
            counted = cpu_seconds_of([process.pid, *program])
            sample = sample_of(look_at(process.pid))
            bounded = sample_of(look_at(process.pid, 1))
        finally:
            for pid in (*program, process.pid):
                os.kill(pid, signal.SIGKILL)
    assert isinstance(sample, Sample)
    assert sample.cpu_seconds > counted - 0.001  # it is added up in another order
    assert isinstance(bounded, Sample)
    assert bounded.cpu_seconds < counted


def test_a_process_that_is_gone_has_no_sample() -> None:
    process = sleeper()
    process.kill()
    process.wait()
    assert sample_of(look_at(process.pid)) is None


def test_what_could_not_be_seen_is_in_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    monkeypatch.setattr(look_module, "memory_of", lambda *_: (2**20, error))
    sample = sample_of(look_at(os.getpid()))
    assert isinstance(sample, Sample)
    assert sample.memory_mb == 1
    assert sample.missed == reason_of(error)


class Sleep(ProcessSleep):
    """Of a process that sleeps as long as a test says so."""

    asleep = False

    def lasts(self, most_seconds: float) -> bool:
        return self.asleep


@pytest.fixture
def sleep(monkeypatch: pytest.MonkeyPatch) -> type[Sleep]:
    """Whether the processes sleep that are watched."""

    class Told(Sleep):
        pass

    monkeypatch.setattr(sampler_module, "ProcessSleep", Told)
    return Told


async def test_a_job_that_sleeps_is_not_looked_at_in_full_until_it_has_run(
    sampler: Sampler, looks: Counter[int], sleep: type[Sleep]
) -> None:
    samples = asyncio.Queue[Sample]()
    sampler.watch(os.getpid(), NEAR, samples.put_nowait, no_failure)
    await asyncio.wait_for(samples.get(), BOUND_SECONDS)
    sleep.asleep = True
    before = looks[os.getpid()]
    await until(lambda: looks[os.getpid()] > before + 5, "it is looked at")
    assert samples.qsize() <= 1, "one may have been on its way"
    assert sampler.last(os.getpid()) is not None
    sleep.asleep = False
    while samples.qsize():
        samples.get_nowait()
    await asyncio.wait_for(samples.get(), BOUND_SECONDS)


@pytest.mark.parametrize(
    ("limit_mb", "pause_seconds"), [(None, IDLE_SECONDS), (1e9, IDLE_SECONDS), (NEAR, NEAR_SECONDS)]
)
async def test_a_job_that_sleeps_is_looked_at_no_more_often_than_one_that_runs(
    sampler: Sampler,
    time: VirtualTime,
    looks: Counter[int],
    sleep: type[Sleep],
    limit_mb: float | None,
    pause_seconds: float,
) -> None:
    samples = asyncio.Queue[Sample]()
    sampler.watch(os.getpid(), limit_mb, samples.put_nowait, no_failure)
    await asyncio.wait_for(samples.get(), BOUND_SECONDS)
    sleep.asleep = True
    looks.clear()
    began = time.now
    await until(lambda: looks[os.getpid()] >= 5, "it is looked at again and again")
    assert time.now - began >= 4 * pause_seconds


async def test_a_job_that_sleeps_counts_as_seen_again_after_a_look_that_failed(
    sampler: Sampler, sleep: type[Sleep], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, failures = asyncio.Queue[Sample](), asyncio.Queue[str]()
    sampler.watch(os.getpid(), NEAR, samples.put_nowait, failures.put_nowait)
    await asyncio.wait_for(samples.get(), BOUND_SECONDS)
    look, failing = sampler_module.look_at, iter([True])

    def fails_once(looks: list[Look]) -> list[Seen]:
        if next(failing, False):
            sleep.asleep = True
            raise OSError(errno.EMFILE, "no descriptor")
        return look(looks)

    monkeypatch.setattr(sampler_module, "look_at", fails_once)
    await asyncio.wait_for(failures.get(), BOUND_SECONDS)
    while samples.qsize():
        samples.get_nowait()
    assert await asyncio.wait_for(samples.get(), BOUND_SECONDS) == sampler.last(os.getpid())


def test_a_job_with_other_processes_is_never_taken_for_asleep(
    pair: tuple["subprocess.Popen[bytes]", "subprocess.Popen[bytes]"],
) -> None:
    look = look_at(os.getpid())
    sample = sample_of(look)
    assert isinstance(sample, Sample)
    assert sample.descendants >= 2
    assert look.sleep._marks == {}


async def test_jobs_that_are_due_at_nearly_the_same_time_are_looked_at_together(
    sampler: Sampler, time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []
    look = sampler_module.look_at

    def counting(looks: list[Look]) -> list[Seen]:
        rounds.append(len(looks))
        return look(looks)

    monkeypatch.setattr(sampler_module, "look_at", counting)
    sampler.watch(os.getpid(), NEAR, lambda _: None, no_failure)
    time.now += 0.05
    sampler.watch(os.getppid(), NEAR, lambda _: None, no_failure)
    await until(lambda: len(rounds) >= 4, "four rounds")
    assert set(rounds) == {2}
