"""Freezing a job that multiplies: its group in one step, then the rest of its tree, then it may start nothing more."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.launcher.process_groups import ProcessGroups
from supervisor.process.proc import kill_below, read_stat
from supervisor.watch import freeze as freeze_module
from supervisor.watch.freeze import freeze, kill_what_it_started
from tests.patience import PATIENCE_SECONDS, until

# One child in its group and one in a session of its own.
FAMILY = """
import os, sys, time
for own_session in (False, True):
    if os.fork() == 0:
        if own_session:
            os.setsid()
        break
os.write(1, b"%d\\n" % os.getpid())
time.sleep(600)
"""


@pytest.fixture
def family() -> Iterator[tuple[int, ...]]:
    """A leader of a process group and its two children, one of which has left the group."""
    command = [sys.executable, "-I", "-S", "-c", FAMILY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0) as leader:
        assert leader.stdout is not None
        pids = [int(leader.stdout.readline()) for _ in range(3)]
        opened = [os.pidfd_open(pid) for pid in pids]
        yield (leader.pid, *(pid for pid in pids if pid != leader.pid))
        for descriptor in opened:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)


class RecordedGroups:
    """Writes down what is asked of the groups of a job."""

    def __init__(self, calls: list[Any], *, complete: bool) -> None:
        self.complete = complete
        self._calls = calls

    def hold(self) -> None:
        self._calls.append("answer no more")

    def send(self, number: int) -> None:
        self._calls.append(("groups", number))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    monkeypatch.setattr(freeze_module, "stop_tree", lambda roots, _: found.append(("stop_tree", *roots)))
    monkeypatch.setattr(freeze_module, "_hold", lambda pid: found.append(("hold", pid)))
    return found


async def test_the_whole_job_stands_still(family: tuple[int, ...]) -> None:
    pidfd = os.pidfd_open(family[0])
    groups = ProcessGroups(family[0], pidfd)
    try:
        await freeze(SimpleNamespace(pid=family[0], groups=groups))
    finally:
        groups.close()
        os.close(pidfd)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while {stat.state for pid in family if (stat := read_stat(pid))} != {"T"}:
            await asyncio.sleep(0.002)
    assert resource.prlimit(family[0], resource.RLIMIT_NPROC) == (0, 0)


async def test_where_some_groups_are_not_known_they_are_stopped_before_the_tree_is_walked(
    calls: list[Any],
) -> None:
    await freeze(SimpleNamespace(pid=4711, groups=RecordedGroups(calls, complete=False)))
    assert calls == ["answer no more", ("groups", signal.SIGSTOP), ("stop_tree", 4711), ("hold", 4711)]


async def test_where_all_groups_are_known_no_tree_is_walked(calls: list[Any]) -> None:
    await freeze(SimpleNamespace(pid=4711, groups=RecordedGroups(calls, complete=True)))
    assert calls == ["answer no more", ("groups", signal.SIGSTOP), ("hold", 4711)]


async def test_the_walk_has_about_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[float] = []
    monkeypatch.setattr(freeze_module, "stop_tree", lambda _, end: ends.append(end))
    monkeypatch.setattr(freeze_module, "_hold", lambda _: None)
    monkeypatch.setattr(freeze_module, "time", SimpleNamespace(monotonic=lambda: 100.0))
    await freeze(SimpleNamespace(pid=4711, groups=RecordedGroups([], complete=False)))
    assert ends == [101.0]


@pytest.mark.parametrize("may", [True, False], ids=["with the privilege", "without"])
async def test_a_child_that_stands_still_comes_first_and_may_start_nothing_more_as_far_as_the_worker_may_say_so(
    monkeypatch: pytest.MonkeyPatch, may: bool
) -> None:
    """What it starts nevertheless gets no part of its priority: SCHED_RESET_ON_FORK, <linux/sched.h>."""
    asked: list[Any] = []

    def answer(*arguments: Any) -> None:
        asked.append(arguments)
        if not may:
            raise PermissionError

    def schedule(pid: int, policy: int, parameters: os.sched_param) -> None:
        answer(pid, policy, parameters.sched_priority)

    monkeypatch.setattr(freeze_module.os, "sched_setscheduler", schedule)
    monkeypatch.setattr(freeze_module.resource, "prlimit", answer)
    await freeze(SimpleNamespace(pid=4711, groups=RecordedGroups([], complete=True)))
    assert asked == [(4711, os.SCHED_RR | 0x40000000, 1), (4711, resource.RLIMIT_NPROC, (0, 0))]


@pytest.mark.parametrize("complete", [False, True])
async def test_what_a_frozen_job_has_started_is_killed_before_its_child_where_some_may_have_been_missed(
    family: tuple[int, ...], complete: bool
) -> None:
    root, *below = family
    await kill_what_it_started(SimpleNamespace(pid=root, groups=RecordedGroups([], complete=complete)))

    def all_are_dead() -> bool:
        return all(stat is None or stat.state == "Z" for stat in map(read_stat, below))

    if not complete:
        await until(all_are_dead, "what it has started is dead")
    assert all_are_dead() is not complete
    assert (stat := read_stat(root)) is not None
    assert stat.state != "Z"


def test_what_is_below_a_process_is_killed_without_it(family: tuple[int, ...]) -> None:
    root, *below = family
    assert kill_below(root, time.monotonic() + PATIENCE_SECONDS) == set(below)


async def test_the_killing_has_about_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []
    monkeypatch.setattr(freeze_module, "kill_below", lambda root, end: asked.append((root, end)))
    monkeypatch.setattr(freeze_module, "time", SimpleNamespace(monotonic=lambda: 100.0))
    await kill_what_it_started(SimpleNamespace(pid=4711, groups=RecordedGroups([], complete=False)))
    assert asked == [(4711, 101.0)]
