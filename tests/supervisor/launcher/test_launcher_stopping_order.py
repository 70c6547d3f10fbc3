"""In which order a job's processes are held, stopped, killed and waited for. Another order loses against a bomb."""

import signal
from typing import Any

import pytest

from supervisor.launcher import sweep, sweep_rounds
from supervisor.launcher.ownership import JobProcesses
from supervisor.launcher.sweep import Sweeper
from supervisor.process.proc import Tree
from supervisor.watch import freeze

CHILD, ORPHAN, BELOW, STRANGER = 1001, 1002, 1003, 1004


class Groups:
    """Process groups that write down what is asked of them."""

    def __init__(self, calls: list[str], *, complete: bool) -> None:
        self._calls = calls
        self.complete = complete

    def hold(self) -> None:
        self._calls.append("hold")

    def send(self, number: int) -> None:
        self._calls.append(f"{signal.Signals(number).name} to the groups")

    def has(self, pid: int) -> bool:
        return pid in (ORPHAN, BELOW)


def job(groups: Any) -> JobProcesses:
    """What is left of a job with these groups."""
    return JobProcesses(CHILD, groups)


class NoLauncher:
    """A launcher whose known_children is nobody."""

    known_children: Any

    def __init__(self) -> None:
        self.known_children = self

    def drain_starts(self) -> frozenset[int]:
        return frozenset()

    def unknown(self, pids: set[int]) -> set[int]:
        return pids


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a sweep does. Its leftovers are gone once they were waited for."""
    calls: list[str] = []
    left = {ORPHAN}

    def walk(roots: set[int]) -> Tree:
        calls.append("walk")
        return Tree(dict.fromkeys([*roots, BELOW], CHILD))

    def kill_tree(roots: set[int], _end: float) -> set[int]:
        calls.append(f"stop and kill {sorted(roots)}")
        return set(roots)

    def wait_for(pid: int) -> tuple[int, int, None]:
        calls.append(f"wait for {pid}")
        left.discard(pid)
        return pid, 0, None

    monkeypatch.setattr(sweep, "direct_children", lambda: set(left))
    monkeypatch.setattr(sweep, "by_owner", lambda pids, jobs: {jobs[0]: set(pids)})
    monkeypatch.setattr(sweep_rounds, "is_alive", lambda _: True)
    monkeypatch.setattr(sweep_rounds, "tree_below", walk)
    monkeypatch.setattr(sweep_rounds, "kill_tree", kill_tree)
    monkeypatch.setattr(sweep_rounds, "wait_for", wait_for)
    return calls


async def test_a_sweep_holds_and_stops_all_before_it_looks_and_kills_before_it_waits(
    calls: list[str],
) -> None:
    swept = await Sweeper(NoLauncher()).clear(job(Groups(calls, complete=True)))
    assert calls == [
        "hold",
        "SIGSTOP to the groups",
        "walk",
        "SIGKILL to the groups",
        f"wait for {ORPHAN}",
    ]
    assert (swept.killed, swept.remaining) == (2, 0)


async def test_where_groups_are_not_known_the_tree_is_stopped_before_the_first_is_killed(
    calls: list[str],
) -> None:
    await Sweeper(NoLauncher()).clear(job(Groups(calls, complete=False)))
    assert calls == [
        "hold",
        "SIGSTOP to the groups",
        f"stop and kill [{ORPHAN}]",
        "SIGKILL to the groups",
        f"wait for {ORPHAN}",
    ]


async def test_what_is_in_no_group_of_the_job_is_stopped_and_killed_by_itself(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = {ORPHAN, STRANGER}
    monkeypatch.setattr(sweep, "direct_children", lambda: set(left))
    monkeypatch.setattr(sweep_rounds, "wait_for", lambda pid: (left.discard(pid), (pid, 0, None))[1])
    swept = await Sweeper(NoLauncher()).clear(job(Groups(calls, complete=True)))
    assert calls[2:] == ["walk", "SIGKILL to the groups", f"stop and kill [{STRANGER}]"]
    assert (swept.killed, swept.remaining) == (3, 0)


async def test_what_has_sigkill_is_left_to_its_end_and_a_number_that_comes_again_is_killed_again(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two rounds pass before it ends; then another process has its number; then nothing is left.
    ends = iter([0, 0, ORPHAN, ORPHAN])
    left = iter([{ORPHAN}] * 5)
    monkeypatch.setattr(sweep_rounds, "_ROUND_SECONDS", -1.0)
    monkeypatch.setattr(sweep, "direct_children", lambda: next(left, set()))
    monkeypatch.setattr(sweep_rounds, "wait_for", lambda _: (next(ends), 0, None))
    await Sweeper(NoLauncher()).clear(job(Groups(calls, complete=True)))
    assert calls[2:] == ["walk", "SIGKILL to the groups"] * 2


class Clock:
    """Shows what a test says."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("complete", "goes_on", "remaining"), [(True, False, 0), (False, False, 0), (False, True, 6)]
)
async def test_a_sweep_goes_on_while_something_ends_but_not_for_a_bomb_that_goes_on(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, complete: bool, goes_on: bool, remaining: int
) -> None:
    clock, left, new = Clock(), list(range(2001, 2007)), iter(range(2007, 2100))

    def reap(_pids: set[int], _end: float) -> set[int]:
        clock.now += 4
        dead = left.pop(0)
        left.extend([next(new)] * goes_on)
        return {dead}

    monkeypatch.setattr(sweep_rounds, "time", clock)
    monkeypatch.setattr(sweep, "direct_children", lambda: set(left))
    monkeypatch.setattr(sweep_rounds, "reap", reap)
    swept = await Sweeper(NoLauncher()).clear(job(Groups(calls, complete=complete)))
    assert swept.remaining == remaining
    assert clock.now == (8 if goes_on else 24)  # the first end after the five seconds, or the last one


class Child:
    """A child that is frozen."""

    pid = CHILD

    def __init__(self, groups: Groups) -> None:
        self.groups = groups


@pytest.mark.parametrize("complete", [True, False])
async def test_a_freeze_holds_and_stops_all_before_it_gives_the_child_a_processor(
    monkeypatch: pytest.MonkeyPatch, complete: bool
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(freeze, "stop_tree", lambda roots, _: calls.append(f"stop {roots}"))
    monkeypatch.setattr(freeze, "_hold", lambda pid: calls.append(f"forbid forks of {pid}"))
    await freeze.freeze(Child(Groups(calls, complete=complete)))
    walk = [] if complete else [f"stop ({CHILD},)"]
    assert calls == ["hold", "SIGSTOP to the groups", *walk, f"forbid forks of {CHILD}"]
