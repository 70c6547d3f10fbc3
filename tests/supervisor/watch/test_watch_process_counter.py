"""Counting heads: each job once a second in any case, and all at once when the machine's number of tasks jumps."""

import asyncio
import errno
import itertools
import os
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest
from virtual_time import VirtualTime

from supervisor.process.proc import Tree
from supervisor.process.sleep import ProcessSleep
from supervisor.watch import process_counter as headcount_module
from supervisor.watch.process_counter import ProcessCounter
from tests.patience import until

BOUND_SECONDS = 50.0


class Quiet:
    """A tell-tale that a test sets off. Counts how often it is asked, and keeps for which number."""

    looks: ClassVar[list[int]] = []
    jumps: ClassVar[list[bool]] = []

    def has_jumped(self, most: int) -> bool:
        self.looks.append(most)
        return self.jumps.pop() if self.jumps else False


@pytest.fixture(autouse=True)
def telltale(monkeypatch: pytest.MonkeyPatch) -> type[Quiet]:
    Quiet.looks.clear()
    Quiet.jumps.clear()
    monkeypatch.setattr(headcount_module, "TaskCountProbe", Quiet)
    return Quiet


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """The clock of the count."""
    monkeypatch.setattr(headcount_module, "asyncio", time := VirtualTime())
    return time


@pytest.fixture
async def headcount() -> AsyncIterator[ProcessCounter]:
    headcount = ProcessCounter()
    yield headcount
    headcount.forget(os.getpid())
    await headcount.close()


def no_failure(reason: str) -> None:
    pytest.fail(f"a count failed: {reason}")


async def counted(counts: "asyncio.Queue[int]") -> int:
    return await asyncio.wait_for(counts.get(), BOUND_SECONDS)


async def test_a_job_is_counted_once_a_second_although_nothing_jumps(
    headcount: ProcessCounter, telltale: type[Quiet], time: VirtualTime
) -> None:
    times = asyncio.Queue[float]()
    headcount.watch(os.getpid(), 10_000, lambda _: times.put_nowait(time.now), no_failure)
    seen = [await asyncio.wait_for(times.get(), BOUND_SECONDS) for _ in range(3)]
    assert all(0.9 < later - earlier < 1.1 for earlier, later in itertools.pairwise(seen))
    # The tell-tale is looked at meanwhile, twenty times a second.
    assert 38 <= len(telltale.looks) <= 44


async def test_a_job_that_comes_after_a_pause_is_not_counted_at_once(
    headcount: ProcessCounter, telltale: type[Quiet], time: VirtualTime
) -> None:
    times = asyncio.Queue[float]()
    headcount.watch(1, 10_000, lambda _: None, no_failure)
    headcount.forget(1)
    await asyncio.sleep(0)
    time.now = 100.0
    headcount.watch(os.getpid(), 10_000, lambda _: times.put_nowait(time.now), no_failure)
    assert 100.9 < await asyncio.wait_for(times.get(), BOUND_SECONDS) < 101.1


async def test_at_a_jump_every_job_is_counted_at_once(
    headcount: ProcessCounter, telltale: type[Quiet]
) -> None:
    counts = asyncio.Queue[int]()
    telltale.jumps.append(True)
    headcount.watch(os.getpid(), 10_000, counts.put_nowait, no_failure)
    await counted(counts)
    assert len(telltale.looks) == 1


async def test_the_telltale_is_asked_for_the_job_that_may_have_the_fewest(
    headcount: ProcessCounter, telltale: type[Quiet]
) -> None:
    counts = asyncio.Queue[int]()
    telltale.jumps.append(True)
    headcount.watch(1, 500, lambda _: None, no_failure)
    headcount.watch(os.getpid(), 70, counts.put_nowait, no_failure)
    await counted(counts)
    headcount.forget(1)
    assert telltale.looks[0] == 70


async def test_a_job_without_a_limit_is_not_counted(headcount: ProcessCounter) -> None:
    headcount.watch(os.getpid(), None, lambda _: pytest.fail("it was counted"), no_failure)
    assert not headcount._tasks


async def test_what_is_forgotten_is_not_counted_and_the_next_job_wakes_the_count(
    headcount: ProcessCounter, telltale: type[Quiet]
) -> None:
    headcount.watch(1, 10, lambda _: pytest.fail("it was counted"), no_failure)
    headcount.forget(1)
    headcount.forget(1)  # twice is once
    counts = asyncio.Queue[int]()
    telltale.jumps.extend([True, True])
    await asyncio.sleep(0)  # the count has nothing to do, and sleeps
    headcount.watch(os.getpid(), 10_000, counts.put_nowait, no_failure)
    await counted(counts)
    headcount.forget(os.getpid())
    headcount.watch(os.getpid(), 10_000, counts.put_nowait, no_failure)
    await counted(counts)


async def test_the_count_of_a_job_that_was_forgotten_meanwhile_is_nobody_s(
    headcount: ProcessCounter, time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number may be that of the next job already."""
    first, second = asyncio.Queue[int](), asyncio.Queue[int]()
    loop = asyncio.get_running_loop()
    trees_of = headcount_module._trees_of

    def change_meanwhile(asked: list[headcount_module._Look]) -> list[Tree]:
        async def change() -> None:
            headcount.forget(os.getpid())
            headcount.watch(os.getpid(), 20_000, second.put_nowait, no_failure)

        if asked[0].most == 10_000:
            asyncio.run_coroutine_threadsafe(change(), loop).result(BOUND_SECONDS)
        return trees_of(asked)

    monkeypatch.setattr(headcount_module, "_trees_of", change_meanwhile)
    headcount.watch(os.getpid(), 10_000, first.put_nowait, no_failure)
    await counted(second)
    assert first.empty()


class Priority:
    """What a counter does with its priority, without doing it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def take(self) -> None:
        self.calls.append("take")

    def give_back(self) -> None:
        self.calls.append("give back")


@pytest.fixture
def priority(headcount: ProcessCounter, monkeypatch: pytest.MonkeyPatch) -> Priority:
    priority = Priority()
    monkeypatch.setattr(headcount, "_priority", priority)
    return priority


async def test_priority_is_taken_with_the_first_job_that_is_counted_and_given_back_after_the_last(
    headcount: ProcessCounter, priority: Priority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headcount_module, "IDLE_SECONDS", 0.01)
    headcount.watch(1, None, lambda _: None, no_failure)
    assert priority.calls == []
    headcount.watch(1, 10, lambda _: None, no_failure)
    assert priority.calls == ["take"]
    headcount.watch(os.getpid(), 10, lambda _: None, no_failure)
    headcount.forget(1)
    headcount.forget(1)
    await asyncio.sleep(0.05)
    assert priority.calls == ["take"], "one is still counted"
    headcount.forget(os.getpid())
    await until(lambda: priority.calls == ["take", "give back"], "it is given back")
    headcount.watch(os.getpid(), 10, lambda _: None, no_failure)
    assert priority.calls == ["take", "give back", "take"]


async def test_between_two_jobs_that_follow_each_other_priority_is_kept(
    headcount: ProcessCounter, priority: Priority
) -> None:
    for _ in range(20):
        headcount.watch(os.getpid(), 10, lambda _: None, no_failure)
        await asyncio.sleep(0)
        headcount.forget(os.getpid())
        await asyncio.sleep(0)
    assert priority.calls == ["take"]
    await headcount.close()
    assert priority.calls == ["take", "give back"], "a counter that is closed holds nothing"


@pytest.mark.parametrize(("tasks", "told"), [(5, False), (6, True)])
async def test_a_count_that_missed_something_is_told_only_where_it_is_too_many_already(
    headcount: ProcessCounter, time: VirtualTime, monkeypatch: pytest.MonkeyPatch, tasks: int, told: bool
) -> None:
    missed = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    monkeypatch.setattr(headcount_module, "_trees_of", lambda _: [Tree(tasks=tasks, missed=missed)])
    counts, failures = asyncio.Queue[int](), asyncio.Queue[str]()
    headcount.watch(os.getpid(), 5, counts.put_nowait, failures.put_nowait)
    assert "Too many open files" in await asyncio.wait_for(failures.get(), BOUND_SECONDS)
    assert counts.empty() is not told


async def test_once_closed_no_count_is_on_its_way() -> None:
    headcount = ProcessCounter()
    headcount.watch(os.getpid(), 10_000, lambda _: None, lambda _: None)
    await asyncio.sleep(0)
    assert headcount._tasks
    await headcount.close()
    assert not headcount._tasks


async def test_counting_ends_above_what_is_asked_for() -> None:
    assert headcount_module._trees_of([look_at(os.getpid(), 0)])[0].tasks >= 1
    assert [tree.tasks for tree in headcount_module._trees_of([look_at(0, 5)])] == [0]


def look_at(pid: int, most: int) -> headcount_module._Look:
    return headcount_module._Look(pid, most, ProcessSleep(pid), None)


def test_a_job_that_sleeps_is_not_counted_anew_until_it_has_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = True
    monkeypatch.setattr(ProcessSleep, "lasts", lambda self, most_seconds: asleep)
    last = Tree(parents={os.getpid(): os.getppid()}, tasks=1)
    look = headcount_module._Look(os.getpid(), 10_000, ProcessSleep(os.getpid()), last)
    assert headcount_module._trees_of([look]) == [last]
    asleep = False
    assert headcount_module._trees_of([look])[0] is not last


async def test_a_job_that_sleeps_counts_as_counted_again_after_a_count_that_failed(
    headcount: ProcessCounter, time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProcessSleep, "lasts", lambda self, most_seconds: True)
    trees_of, failing = headcount_module._trees_of, iter([False, True])

    def fails_once(looks: list[headcount_module._Look]) -> list[Tree]:
        if next(failing, False):
            raise OSError(errno.EMFILE, "no descriptor")
        return trees_of(looks)

    monkeypatch.setattr(headcount_module, "_trees_of", fails_once)
    counts, failures = asyncio.Queue[int](), asyncio.Queue[str]()
    headcount.watch(os.getpid(), 10_000, counts.put_nowait, failures.put_nowait)
    await counted(counts)
    await asyncio.wait_for(failures.get(), BOUND_SECONDS)
    await counted(counts)


@pytest.mark.parametrize(
    ("tree", "can_sleep"),
    [
        (Tree(parents={7: 1}, tasks=3, complete=True), True),
        (Tree(parents={7: 1, 8: 7}, tasks=2, complete=True), False),
        (Tree(parents={7: 1}, tasks=3, complete=False), False),
    ],
    ids=["by itself", "with another process", "not all was counted"],
)
def test_only_a_job_without_other_processes_that_was_counted_whole_is_taken_to_sleep(
    monkeypatch: pytest.MonkeyPatch, tree: Tree, can_sleep: bool
) -> None:
    sleeps: list[str] = []
    monkeypatch.setattr(ProcessSleep, "begin", lambda self: sleeps.append("begin"))
    monkeypatch.setattr(ProcessSleep, "end", lambda self: sleeps.append("end"))
    monkeypatch.setattr(headcount_module, "tree_below", lambda pids, most_tasks: tree)
    assert headcount_module._trees_of([look_at(7, 10_000)]) == [tree]
    assert sleeps == (["begin"] if can_sleep else ["begin", "end"])
