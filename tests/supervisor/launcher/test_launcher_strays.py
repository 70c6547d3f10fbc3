"""Processes that belong to no job: killed, waited for and told of, and never one that is only not announced yet."""

import os
import signal
from collections.abc import Iterator

import pytest
from launcher_support import a_process, is_there

from supervisor.launcher import strays as strays_module
from supervisor.launcher.strays import Strays
from supervisor.log.events.processes import StrayKilled, StrayStuck
from supervisor.log.events.worker import TaskFailed
from tests.log_events import facts_of, records_of
from tests.patience import until
from tests.unkillable import held


class Looks:
    """What is found at each look; the last for ever, without those that are gone."""

    def __init__(self, *looks: set[int]) -> None:
        self.looks = list(looks)
        self.taken = 0

    async def __call__(self) -> set[int]:
        self.taken += 1
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return {pid for pid in found if is_there(pid)}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays_module, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(strays_module, "_LONGEST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def process() -> Iterator[int]:
    pid = a_process()
    yield pid
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


async def test_a_stray_is_killed_waited_for_and_told_of(
    process: int, caplog: pytest.LogCaptureFixture
) -> None:
    strays = Strays(Looks({process}))
    strays.notice()
    strays.notice()
    await until(lambda: not is_there(process))
    await until(lambda: records_of(caplog, StrayKilled))
    (record,) = records_of(caplog, StrayKilled)
    assert facts_of(record) == {"pid": process, "process": "sleep"}
    await until(lambda: not strays._tasks)
    await strays.close()


async def test_what_is_not_there_at_the_second_look_was_only_not_announced_yet(process: int) -> None:
    looks = Looks({process}, set())
    strays = Strays(looks)
    strays.notice()
    await until(lambda: not strays._tasks)
    assert looks.taken == 2
    assert os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG) is None


async def test_a_dead_stray_is_waited_for_without_a_word(
    process: int, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(process, signal.SIGKILL)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    strays = Strays(Looks({process}))
    strays.notice()
    await until(lambda: not is_there(process))
    await until(lambda: not strays._tasks)
    assert records_of(caplog, StrayKilled) == []


async def test_a_stray_that_can_not_be_killed_is_told_once_and_waited_for(
    process: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays_module, "_ROUND_SECONDS", 0.005)
    monkeypatch.setattr(strays_module, "_STUCK_SECONDS", 0.05)
    looks = Looks({process})
    strays = Strays(looks)
    try:
        with held(process):
            strays.notice()
            await until(lambda: records_of(caplog, StrayStuck))
            told_at = looks.taken
            await until(lambda: looks.taken > told_at + 5)
    except OSError:
        pytest.skip("a process of the same user may not be traced here")
    await until(lambda: not is_there(process))
    await until(lambda: not strays._tasks)
    assert len(records_of(caplog, StrayStuck)) == 1


async def test_looking_that_fails_goes_on_until_it_succeeds(
    process: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(strays_module, "_NO_LOOK_PAUSE_SECONDS", 0.001)
    failures: list[int] = []

    async def fail() -> set[int]:
        failures.append(1)
        raise OSError("no descriptor left")

    strays = Strays(fail)
    strays.notice()
    await until(lambda: len(failures) > 2)
    strays._look = Looks({process})
    await until(lambda: not is_there(process))
    await until(lambda: not strays._tasks)
    assert records_of(caplog, TaskFailed) == []
    await strays.close()
