"""Templates that come, take each other's place and go: at each moment one is in force, and no other stays."""

import asyncio

import pytest
from launcher_support import is_there
from played_template import EMPTY, IMPORTS, Stage, asked

from jobrunner.protocol.entry import Discovery
from supervisor.errors import LaunchError, TemplateError
from supervisor.launcher import Imports
from supervisor.launcher import template as template_module
from tests.patience import until


async def test_a_rejected_reload_ends_its_own_template_and_leaves_the_old_one(stage: Stage) -> None:
    def reject(_: object) -> None:
        raise ValueError("a block is missing")

    newer = Imports(Discovery(("newer",)), {})
    with pytest.raises(ValueError, match="a block is missing"):
        await stage.launcher.reload(newer, reject)
    old, rejected = stage.templates
    assert not is_there(rejected.pid)
    assert stage.launcher.template_pid == old.pid
    # What comes back, when the old one ends, is what was in force.
    old.die()
    await until(lambda: len(stage.imported) == 3)
    assert stage.imported == [IMPORTS, newer, IMPORTS]


async def test_a_reload_ends_an_old_template_of_which_nothing_is_awaited_at_once(stage: Stage) -> None:
    await stage.launcher.reload(IMPORTS, lambda _: None)
    await until(lambda: not is_there(stage.templates[0].pid))


async def test_a_reload_ends_the_old_template_once_its_births_are_answered(stage: Stage) -> None:
    (old,) = stage.templates
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    request = await asked(old)
    newer = Imports(Discovery(("newer",)), {})
    assert await stage.launcher.reload(newer, lambda _: None) is EMPTY
    assert stage.launcher.template_pid == stage.templates[1].pid
    assert is_there(old.pid)
    pid = old.spawn_child(*request)
    child = await starting
    assert child.pid == pid
    stage.launcher.drain_starts()
    await until(lambda: not is_there(old.pid))
    child.discard()
    await until(lambda: not is_there(pid))
    second = asyncio.ensure_future(stage.launcher.spawn_child())
    other = stage.templates[1].spawn_child(*await asked(stage.templates[1]))
    (await second).discard()
    await until(lambda: not is_there(other))
    # What comes back later is the newer.
    stage.templates[1].die()
    await until(lambda: len(stage.imported) == 3)
    assert stage.imported[2] is newer


async def test_an_old_template_that_ends_meanwhile_fails_its_own_births_only(stage: Stage) -> None:
    (old,) = stage.templates
    lost = asyncio.ensure_future(stage.launcher.spawn_child())
    old.forget((await asked(old))[1])
    await stage.launcher.reload(IMPORTS, lambda _: None)
    new = stage.templates[1]
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    request = await asked(new)
    old.die()
    with pytest.raises(LaunchError, match="ended while it was asked"):
        await lost
    assert stage.launcher.template_pid == new.pid
    pid = new.spawn_child(*request)
    child = await starting
    child.discard()
    await until(lambda: not is_there(pid))
    assert len(stage.templates) == 2


async def test_a_reload_takes_the_place_of_a_template_that_is_coming_back(stage: Stage) -> None:
    stage.gate.clear()
    stage.templates[0].die()
    await until(lambda: len(stage.imported) == 2)
    reloading = asyncio.ensure_future(stage.launcher.reload(IMPORTS, lambda _: None))
    await until(lambda: len(stage.imported) == 3)
    (comeback,) = stage.launcher._tasks._running
    stage.problems.append(TemplateError("the first to go on fails"))
    stage.gate.set()
    await reloading
    await asyncio.gather(comeback, return_exceptions=True)
    assert [template.pid for template in stage.templates[1:]] == [stage.launcher.template_pid]


async def test_a_template_that_does_not_come_up_is_tried_again_after_pauses_that_grow_up_to_a_bound(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def at_once(seconds: float) -> None:
        if seconds >= 0.2:
            pauses.append(seconds)
            seconds = 0
        await sleep(seconds)

    monkeypatch.setattr(template_module.asyncio, "sleep", at_once)
    stage.problems.extend(TemplateError("no memory") for _ in range(10))
    stage.templates[0].die()
    await until(lambda: len(stage.templates) == 2)
    assert pauses == [0.2, 0.4, 0.8, *[1.0] * 7]


async def test_closing_ends_every_template_and_the_coming_back(stage: Stage) -> None:
    (old,) = stage.templates
    waiting = asyncio.ensure_future(stage.launcher.spawn_child())
    old.forget((await asked(old))[1])
    await stage.launcher.reload(IMPORTS, lambda _: None)
    stage.gate.clear()
    stage.templates[1].die()
    await until(lambda: len(stage.imported) == 3)
    await stage.launcher.close()
    stage.gate.set()
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert [is_there(template.pid) for template in stage.templates] == [False, False]
    assert stage.launcher.template_pid is None


def test_before_its_start_there_is_no_template() -> None:
    assert template_module.TemplateLauncher(IMPORTS).template_pid is None
