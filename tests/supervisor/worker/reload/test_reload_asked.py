"""Who asks for a reload is told what became of one that began after the question."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from supervisor.errors import ReloadRefusedError
from supervisor.log.events.worker import ReloadRefused
from supervisor.settings.run_settings import DaemonSettings
from supervisor.worker.reload import STOPPING, Reload, ReloadOutcome
from tests.log_events import records_of
from tests.patience import until

SETTINGS = DaemonSettings.model_construct(
    engine_url="http://engine",
    isolation="off",
    require_all_blocks=False,
    state_dir=Path("/srv/state"),
)


class Status:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    def reload_begins(self) -> None:
        self.told.append("begins")

    def reload_ends(self, problem: str | None) -> None:
        self.told.append(problem)


class Launcher:
    """Starts no template."""

    error: Exception

    async def reload(self, *_: object) -> None:
        raise self.error


class Scene:
    """A reload whose reading of the settings is the test's, and ends in a refusal or in a bug."""

    def __init__(self) -> None:
        self.reads = 0
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.error: Exception | None = ReloadRefusedError("A setting is wrong.\nSecond line.")
        self.settings = SETTINGS
        """What is read, where that is no error."""
        self.status: Any = Status()
        self.launcher: Any = Launcher()
        part: Any = SimpleNamespace(catalogue=None)
        self.reload = Reload(SETTINGS, self._read, self.launcher, part, part, part, self.status)
        self.asked = asyncio.Event()
        self.task = asyncio.ensure_future(self.reload.reload_when_asked(self.asked))

    async def _read(self) -> DaemonSettings:
        self.reads += 1
        await self.may_read.wait()
        if self.error is not None:
            raise self.error
        return self.settings

    def ask(self) -> "asyncio.Task[ReloadOutcome]":
        return asyncio.ensure_future(self.reload.ask())


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    try:
        yield made
    finally:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


async def test_a_refusal_is_told_with_its_whole_reason_to_who_asked() -> None:
    async with scene() as stage:
        outcome = await asyncio.wait_for(stage.reload.ask(), 30)
        assert outcome.refused == "A setting is wrong.\nSecond line."
        assert stage.status.told == ["begins", "A setting is wrong."]
        assert stage.reload.in_force is SETTINGS


async def test_who_asks_during_a_reload_waits_for_the_next_one_and_two_share_it() -> None:
    """What is under way may have read the settings before they were changed."""
    async with scene() as stage:
        stage.may_read.clear()
        first = stage.ask()
        await until(lambda: stage.reads == 1, "the first reload reads")
        later = [stage.ask(), stage.ask()]
        await asyncio.sleep(0)
        stage.error = ReloadRefusedError("Something else.")
        stage.may_read.set()
        await asyncio.wait_for(asyncio.gather(first, *later), 30)
        assert stage.reads == 2


async def test_who_asks_when_the_worker_stops_is_told_so_and_waits_no_more() -> None:
    async with scene() as stage:
        stage.may_read.clear()
        first = stage.ask()
        await until(lambda: stage.reads == 1, "the first reload reads")
        second = stage.ask()
        await asyncio.sleep(0)
        stage.task.cancel()
        assert [await asyncio.wait_for(each, 30) for each in (first, second)] == [STOPPING, STOPPING]
        assert await asyncio.wait_for(stage.reload.ask(), 30) == STOPPING


async def test_who_leaves_while_it_reloads_takes_nothing_from_the_others() -> None:
    async with scene() as stage:
        stage.may_read.clear()
        leaves, stays = stage.ask(), stage.ask()
        await until(lambda: stage.reads == 1, "it reads")
        leaves.cancel()
        stage.may_read.set()
        assert (await asyncio.wait_for(stays, 30)).refused is not None


async def test_a_bug_before_anything_is_in_force_refuses_the_reload_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as stage:
        stage.error = RuntimeError("a bug")
        outcome = await asyncio.wait_for(stage.reload.ask(), 30)
        assert outcome.refused == "This worker has met a bug, and its log has the traceback."
        (record,) = records_of(caplog, ReloadRefused)
        assert record.exc_info is not None
        assert record.exc_info[1] is stage.error
        assert stage.reload.in_force is SETTINGS
        stage.error = ReloadRefusedError("Something else.")
        assert (await asyncio.wait_for(stage.reload.ask(), 30)).refused == "Something else."


async def test_a_bug_while_the_new_is_put_in_force_leaves_nobody_waiting() -> None:
    """Then nobody knows what is in force, and the worker stops."""
    async with scene() as stage:
        stage.error, stage.launcher.error = None, RuntimeError("a bug")
        assert await asyncio.wait_for(stage.reload.ask(), 30) == STOPPING
        with pytest.raises(RuntimeError, match="a bug"):
            await stage.task


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"max_job_seconds": 3000.0, "engine_job_timeout_seconds": 3600.0},
            ("the engine gives a job up after 720 s", "--engine-job-timeout-seconds"),
        ),
        (
            {"writable_paths": ["/srv/state/jobs"], "state_dir": Path("/elsewhere")},
            ("would let jobs write the worker's state directory (/srv/state)", "--state-dir"),
        ),
    ],
)
async def test_settings_that_only_a_restart_could_put_in_force_together_refuse_the_reload(
    changed: dict[str, Any], words: tuple[str, str]
) -> None:
    """What was read is right as a whole, and half of it would be in force with half of what was there before."""
    async with scene() as stage:
        stage.error, stage.settings = None, SETTINGS.model_copy(update=changed)
        outcome = await asyncio.wait_for(stage.reload.ask(), 30)
        assert outcome.refused is not None
        problem, flag = words
        assert problem in outcome.refused
        assert f"A reload does not change {flag}: restart the worker." in outcome.refused
        assert stage.reload.in_force is SETTINGS
