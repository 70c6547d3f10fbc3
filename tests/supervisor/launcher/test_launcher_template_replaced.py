"""A template that answers no more is replaced: one that is stopped, and one that was asked twice for nothing."""

import asyncio
import os
import signal

import pytest
from launcher_support import is_there, open_descriptors
from played_template import Stage, asked

from supervisor.errors import LaunchError
from supervisor.launcher import template as template_module
from supervisor.lifecycle import template_silence as silence_module
from supervisor.log.events.processes import TemplateReplaced
from supervisor.process.proc import read_stat
from tests.log_events import told
from tests.patience import until


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence_module, "LOOK_SECONDS", 0.02)


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    while (stat := read_stat(pid)) is None or stat.state != "T":
        pass  # the kernel does it at once


async def a_replacement(stage: Stage) -> None:
    await until(lambda: len(stage.templates) == 2 and stage.launcher.template_pid == stage.templates[1].pid)


async def test_a_stopped_template_is_replaced_and_what_it_was_asked_for_is_on_its_way(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (template,) = stage.templates
    before = open_descriptors()
    stop(template.pid)
    with pytest.raises(LaunchError, match="It is stopped") as caught:
        await stage.launcher.spawn_child()
    assert caught.value.on_its_way
    await a_replacement(stage)
    (replaced,) = told(caplog, TemplateReplaced)
    assert replaced["pid"] == template.pid
    await until(lambda: not is_there(template.pid))
    template.forget((await asked(template))[1])
    await until(lambda: template.ends == 1)
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    stage.templates[1].spawn_child(*await asked(stage.templates[1]))
    child = await starting
    child.kill()
    await child.exited
    child.reap_and_close()
    assert len(open_descriptors() - before) <= 2  # the new template's ends take those of the old one


async def test_what_takes_a_dead_template_s_place_has_no_module_that_starts_a_thread(stage: Stage) -> None:
    """At the start and at a reload somebody decides about such a module; here nobody can."""
    await stage.launcher.reload(stage.imported[0], lambda _: None)
    assert stage.left_out_threads == [False, False]
    stop(stage.templates[1].pid)
    with pytest.raises(LaunchError, match="It is stopped"):
        await stage.launcher.spawn_child()
    await until(lambda: len(stage.templates) == 3)
    assert stage.left_out_threads[2]
    stage.templates[1].forget((await asked(stage.templates[1]))[1])


async def test_a_template_that_hangs_is_replaced_after_the_second_request_without_an_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(silence_module, "HUNG_SECONDS", 0.1)
    (template,) = stage.templates
    with pytest.raises(LaunchError, match="did not start a child within") as caught:
        await stage.launcher.spawn_child()
    assert not caught.value.on_its_way
    assert stage.launcher.template_pid == template.pid
    with pytest.raises(LaunchError, match="asked for one twice"):
        await stage.launcher.spawn_child()
    await a_replacement(stage)
    assert len(told(caplog, TemplateReplaced)) == 1
    await until(lambda: not is_there(template.pid))
    for _ in range(2):
        template.forget((await asked(template))[1])


async def test_children_that_never_get_ready_count_as_no_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_module, "START_TIMEOUT_SECONDS", 0.2)
    (template,) = stage.templates
    for _ in range(2):
        starting = asyncio.ensure_future(stage.launcher.spawn_child())
        request, descriptors = await asked(template)
        template.spawn_silent_child(request, descriptors)
        with pytest.raises(LaunchError, match="was not ready within"):
            await starting
    await a_replacement(stage)


async def test_an_answer_between_two_silences_keeps_the_template(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (template,) = stage.templates
    for _ in range(silence_module.SILENCES_UNTIL_REPLACED):
        starting = asyncio.ensure_future(stage.launcher.spawn_child())
        request, descriptors = await asked(template)
        with monkeypatch.context() as patched:
            patched.setattr(template_module, "START_TIMEOUT_SECONDS", 0.2)  # from its birth on
            template.spawn_silent_child(request, descriptors)
            with pytest.raises(LaunchError, match="was not ready within"):
                await starting
        assert stage.launcher.template_pid == template.pid
        starting = asyncio.ensure_future(stage.launcher.spawn_child())
        template.spawn_child(*await asked(template))
        child = await starting
        child.discard()
        await child.exited


async def test_a_template_that_was_retired_by_a_reload_and_is_stopped_is_ended_without_a_successor(
    stage: Stage,
) -> None:
    (old,) = stage.templates
    stop(old.pid)
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    old.forget((await asked(old))[1])
    await stage.launcher.reload(stage.imported[0], lambda _: None)
    with pytest.raises(LaunchError, match="It is stopped"):
        await starting
    await until(lambda: not is_there(old.pid))
    assert stage.launcher.template_pid == stage.templates[1].pid
    assert len(stage.templates) == 2
