"""How long each step may take before somebody is told, by a clock of the test's: work must go on at some time."""

import asyncio
import os
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from played_template import Stage

from jobrunner.protocol.entry import Discovery
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher import Imports
from supervisor.launcher import child_starts as child_starts_module
from supervisor.launcher import importer as importer_module
from supervisor.launcher import job_users as job_users_module
from supervisor.launcher import sweep_rounds as sweep_module
from supervisor.launcher import template as template_module
from supervisor.launcher.importer import start_template
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.known_children import KnownChildren
from supervisor.launcher.spawn_launcher import SpawnLauncher
from supervisor.lifecycle.template_silence import Look
from supervisor.process import proc as proc_module
from supervisor.process.proc import Stat, Tree
from tests.simulated_time import elapsed, simulate

USER = 3_000_000_001


class Clock:
    """Stands for `time`: goes on when somebody sleeps, and a little with each look."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        assert len(self.sleeps) < 100_000, "this does not end"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_job_waits_twenty_seconds_for_a_user_of_its_own() -> None:
    async def take() -> float:
        with pytest.raises(LaunchError, match="No job user was free within 20 s"):
            await JobUsers([]).take()
        return elapsed()

    assert simulate(take()) == 20


def test_a_user_comes_back_to_whoever_has_waited_and_is_used_again_as_late_as_possible() -> None:
    async def take() -> list[int]:
        users = JobUsers([1, 2])
        first, second = await users.take(), await users.take()
        third = asyncio.ensure_future(users.take())
        await asyncio.sleep(5)
        assert not third.done()
        users._free.append(first)
        users._freed.set()
        return [first, second, await third]

    assert simulate(take()) == [1, 2, 1]


@pytest.mark.parametrize("dies_after", [0, 3, None])
def test_what_is_left_of_a_user_has_five_seconds_to_die(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, dies_after: int | None
) -> None:
    """Of the user's, which are alive: those of another are not touched."""
    kills: list[tuple[list[int], float]] = []
    monkeypatch.setattr(job_users_module, "time", clock)
    monkeypatch.setattr(job_users_module, "direct_children", lambda: {7, 8, 9})
    monkeypatch.setattr(job_users_module, "user_of", lambda pid: USER if pid != 8 else 1)
    monkeypatch.setattr(
        job_users_module,
        "is_alive",
        lambda pid: pid != 9 and (dies_after is None or len(kills) < dies_after),
    )
    monkeypatch.setattr(job_users_module, "kill_tree", lambda pids, end: kills.append((pids, end)))
    monkeypatch.setattr(
        job_users_module, "remove_leftovers", lambda users, *_: [] if users == {USER} else ["wrong"]
    )
    problem = job_users_module._clean_up_after(USER)
    assert problem == ("process(es) [7] of it can't be killed." if dies_after is None else "")
    assert all(kill == ([7], 1005.0) for kill in kills)
    assert set(clock.sleeps) <= {0.01}
    assert (
        len(kills) == len(clock.sleeps) == (pytest.approx(501, abs=1) if dies_after is None else dies_after)
    )


def test_what_a_user_left_and_can_not_be_removed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_users_module, "direct_children", set)
    monkeypatch.setattr(job_users_module, "remove_leftovers", lambda *_: ["/tmp/a", "/tmp/b"])
    assert job_users_module._clean_up_after(USER) == "what it left is not removed yet: /tmp/a, /tmp/b."


def test_a_user_that_waits_for_the_machine_is_cleaned_up_after_each_second_and_at_once_at_the_end() -> None:
    async def pauses() -> list[float]:
        users = JobUsers([])
        times: list[float] = []
        for closing in (False, False, True):
            if closing:
                users._closing.set()
            await users._pause(job_users_module._TRY_AGAIN_SECONDS)
            times.append(elapsed())
        return times

    assert simulate(pauses()) == [1, 2, 2]


def test_a_template_that_does_nothing_has_ten_seconds_to_start_a_child_and_the_child_twenty_to_be_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask() -> float:
        stage = Stage()
        monkeypatch.setattr(template_module, "start_template", stage.start_template)
        monkeypatch.setattr(child_starts_module, "look_at", lambda pid: Look("S", 1))
        await stage.launcher.start()
        try:
            with pytest.raises(LaunchError, match="did not start a child within 10 s"):
                await stage.launcher.spawn_child()
            return elapsed()
        finally:
            await stage.close()

    assert simulate(ask()) == 10

    class ReadyAtOnce:
        async def get_ready(self, timeout_seconds: float) -> None:
            asked.append(timeout_seconds)

    async def start(*_: object, rehearses: bool) -> Any:
        return ReadyAtOnce()

    asked: list[float] = []
    monkeypatch.setattr(template_module.TemplateLauncher, "_start_child", start)
    simulate(Stage().launcher.spawn_child())
    assert asked == [20.0]


def test_a_template_has_a_minute_until_it_imports_its_first_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """It starts an interpreter and imports this worker, on a machine that may be busy with all that starts with it."""
    templates: list[Any] = []

    async def start() -> float:
        report, theirs = socket.socketpair()
        report.setblocking(False)

        async def end() -> None:
            templates.append("ended")

        silent = SimpleNamespace(
            pid=os.getpid(), report=report, output=SimpleNamespace(tail=lambda: "its stack"), end=end
        )
        monkeypatch.setattr(importer_module, "TemplateProcess", lambda *_: silent)
        monkeypatch.setattr(importer_module.os, "kill", lambda *_: None)
        with theirs, pytest.raises(TemplateError, match="did not answer within 60 s") as caught:
            await start_template(Imports(Discovery(()), {}), KnownChildren())
        assert caught.value.evidence == "its stack"
        await asyncio.sleep(0)
        return elapsed()

    assert 60 <= simulate(start()) < 61
    assert templates[0] == "ended"


class Groups:
    """Process groups of which all are known, or not."""

    def __init__(self, *, complete: bool) -> None:
        self.complete = complete
        self.sent: list[int] = []

    def has(self, _: int) -> bool:
        return False

    def send(self, number: int) -> None:
        self.sent.append(number)


@pytest.mark.parametrize("complete", [True, False])
def test_a_sweep_gives_up_after_five_seconds_or_that_long_after_the_last_end_where_all_are_known(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, complete: bool
) -> None:
    monkeypatch.setattr(sweep_module, "time", clock)
    monkeypatch.setattr(sweep_module, "is_alive", lambda _: True)
    monkeypatch.setattr(sweep_module, "tree_below", lambda _: Tree())
    monkeypatch.setattr(sweep_module, "kill_tree", lambda pids, _: set(pids))
    monkeypatch.setattr(
        sweep_module, "reap", lambda pids, end: set(pids) if end == clock.now + 0.02 else set()
    )
    sweep = sweep_module.SweepRounds(Groups(complete=complete))  # type: ignore[arg-type]  # what is used of it
    sweep.begin(5.0)
    clock.now += 5.0
    assert not sweep.is_over()
    sweep.go_over({7})
    assert sweep.killed == {7}
    clock.now += 0.001
    assert sweep.is_over() is not complete
    clock.now += 5.0
    assert sweep.is_over()


def test_a_bomb_that_grows_no_more_has_time_to_die_in_but_not_for_ever(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stop may take long, too: a thousand processes on a busy machine each wait for a processor."""
    stop_until: list[float] = []

    def kill_tree(pids: set[int], end: float) -> set[int]:
        stop_until.append(end)
        clock.now = end
        return set(pids)

    monkeypatch.setattr(sweep_module, "time", clock)
    monkeypatch.setattr(sweep_module, "is_alive", lambda _: True)
    monkeypatch.setattr(sweep_module, "kill_tree", kill_tree)
    monkeypatch.setattr(sweep_module, "reap", lambda pids, _: {min(pids)})
    sweep = sweep_module.SweepRounds(Groups(complete=False))  # type: ignore[arg-type]  # what is used of it
    began = clock.now
    sweep.begin(5.0)
    pids = set(range(7, 20))
    sweep.go_over(pids)
    assert stop_until == [began + 2.5]
    assert not sweep.is_over()  # half of the time is left for its end
    given_up_at = None
    while given_up_at is None:
        clock.now += 4.0  # between two ends: less than the bound
        pids.discard(min(pids))
        sweep.go_over(set(pids))
        given_up_at = clock.now if sweep.is_over() else None
    assert given_up_at == began + 2.5 + 5 * 4.0  # four times the bound are 20 s


def test_the_dying_are_waited_for_with_pauses_that_double_for_a_fiftieth_of_a_second(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "time", clock)
    monkeypatch.setattr(sweep_module, "_reaped", lambda pid: pid == 7)
    assert sweep_module.reap({7, 8}, clock.now + 0.02) == {7}
    assert clock.sleeps == [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016]
    assert sweep_module.reap({7}, clock.now) == {7}
    assert len(clock.sleeps) == 6


def test_what_was_sent_a_stop_is_looked_at_again_within_a_millisecond(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bomb doubles in a few of them."""
    states = iter("SSST")
    sent: list[int] = []
    monkeypatch.setattr(proc_module, "time", clock)
    monkeypatch.setattr(proc_module, "read_stat", lambda *_: Stat(next(states), 1, 7, 7, threads=1))
    monkeypatch.setattr(proc_module, "signal_child_of", lambda _, pid, __: sent.append(pid))
    monkeypatch.setattr(proc_module, "_threads", lambda *_: ["7"])
    monkeypatch.setattr(proc_module, "_children", lambda *_: [])
    proc_module._stop_and_follow({7: 1}, {7}, clock.now + 1)
    assert sent == [7, 7, 7]
    assert clock.sleeps == [0.0005] * 3


def test_a_spawned_child_has_a_minute_to_import_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    async def get_ready(_: object, timeout_seconds: float) -> None:
        asked.append(timeout_seconds)

    child = SimpleNamespace()
    child.get_ready = lambda seconds: get_ready(child, seconds)
    launcher = SpawnLauncher(Imports(Discovery(()), {}))

    async def start(_: object) -> object:
        return child

    monkeypatch.setattr(launcher, "_start_child", start)
    assert simulate(launcher.spawn_child()) is child
    assert asked == [60.0]
