"""ChildStarts: each request has one answer, and a child that nobody waits for any more is ended."""

import asyncio
import errno
import os
import resource
import signal
from typing import Any

import pytest
from launcher_support import a_process, is_there, open_descriptors
from played_template import IMPORTS, Stage, asked

from jobrunner.protocol.confinement import Confinement
from supervisor.errors import LaunchError
from supervisor.job.runner import START_SECONDS
from supervisor.launcher import fork_requests as fork_requests_module
from supervisor.launcher import job_users as job_users_module
from supervisor.launcher import template as template_module
from supervisor.launcher.confinement import ConfinementPool
from supervisor.launcher.job_users import JobUsers
from supervisor.log.events.processes import TemplateEnded
from supervisor.process.reaping import wait_for
from tests.log_events import told
from tests.patience import until


def no_descriptor(pid: int) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


async def test_a_child_that_was_asked_for_is_borne_and_its_ends_are_closed_here(stage: Stage) -> None:
    before = open_descriptors()
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    pid = stage.templates[0].spawn_child(*await asked(stage.templates[0]))
    child = await starting
    assert child.pid == pid
    assert child.joins_by_itself
    # Channel, stdout, stderr, dump and the pidfd: one each.
    assert len(open_descriptors() - before) == 5
    assert stage.launcher.known_children.unknown({pid}) == set()
    child.kill()
    await child.exited
    child.reap_and_close()
    await until(lambda: open_descriptors() == before)
    assert stage.launcher.known_children.unknown({pid}) == {pid}
    assert not is_there(pid)


async def test_a_child_that_can_not_be_watched_is_ended_and_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()

    waited_for: dict[int, int] = {}

    def recorded(pid: int) -> tuple[int, int, resource.struct_rusage]:
        ended = wait_for(pid)
        waited_for[ended[0]] = ended[1]
        return ended

    monkeypatch.setattr(fork_requests_module, "wait_for", recorded)
    monkeypatch.setattr(template_module.os, "pidfd_open", no_descriptor)
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    pid = stage.templates[0].spawn_child(*await asked(stage.templates[0]))
    with pytest.raises(LaunchError, match="can't be watched"):
        await starting
    await until(lambda: not is_there(pid))
    assert os.WTERMSIG(waited_for[pid]) == signal.SIGKILL
    assert stage.launcher.known_children.unknown({pid}) == {pid}
    assert open_descriptors() == before


async def test_no_other_child_is_born_into_the_session_of_one_that_can_not_be_watched(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, holder, given_back = a_process(), object(), list[tuple[object, bool]]()

    async def born(*_: object) -> tuple[int, object]:
        return pid, holder

    def give_back(one: object, *, is_empty: bool = True) -> None:
        given_back.append((one, is_empty))

    monkeypatch.setattr(stage.launcher._child_starts, "ask", born)
    monkeypatch.setattr(stage.launcher._holders, "give_back", give_back)
    monkeypatch.setattr(template_module.os, "pidfd_open", no_descriptor)
    with pytest.raises(LaunchError, match="can't be watched"):
        await stage.launcher.spawn_child()
    assert given_back == [(holder, False)]
    await until(lambda: not is_there(pid))


async def test_a_template_that_ends_fails_the_births_that_wait_for_it_at_once_and_another_is_started(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (template,) = stage.templates
    starting = [asyncio.ensure_future(stage.launcher.spawn_child()) for _ in range(2)]
    for _ in starting:
        template.forget((await asked(template))[1])
    template.die()
    for one in starting:
        with pytest.raises(LaunchError, match="ended while it was asked for a child"):
            await one
    await until(lambda: told(caplog, TemplateEnded))
    assert told(caplog, TemplateEnded) == [{"status": "exit code -9"}]
    assert not is_there(template.pid)
    await until(lambda: len(stage.templates) == 2 and stage.launcher.template_pid == stage.templates[1].pid)
    assert stage.imported == [IMPORTS, IMPORTS]


async def test_without_a_template_no_child_is_borne_and_nothing_stays_open(stage: Stage) -> None:
    stage.gate.clear()
    stage.templates[0].die()
    await until(lambda: stage.launcher.template_pid is None)
    before = open_descriptors()
    with pytest.raises(LaunchError, match="no template"):
        await stage.launcher.spawn_child()
    assert open_descriptors() == before


async def test_a_template_that_is_gone_unnoticed_is_a_launch_error(stage: Stage) -> None:
    stage.templates[0].die()
    before = open_descriptors()
    with pytest.raises(LaunchError, match="The template is gone"):
        await stage.launcher.spawn_child()
    assert open_descriptors() == before


async def test_a_fork_that_fails_is_a_launch_error_and_leaves_nothing_open(stage: Stage) -> None:
    before = open_descriptors()
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    stage.templates[0].refuse(*await asked(stage.templates[0]))
    with pytest.raises(LaunchError, match=r"could not start a child: .* \(ENOMEM\)\. Give the machine"):
        await starting
    assert open_descriptors() == before


def test_a_birth_that_hangs_is_given_up_while_its_job_still_waits_for_another_child() -> None:
    assert START_SECONDS > template_module.START_TIMEOUT_SECONDS


async def test_a_child_that_is_born_too_late_is_ended_and_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_module, "START_TIMEOUT_SECONDS", 0.01)
    with pytest.raises(LaunchError, match=r"did not start a child within"):
        await stage.launcher.spawn_child()
    pid = stage.templates[0].spawn_child(*await asked(stage.templates[0]))
    stage.launcher.drain_starts()
    assert stage.launcher.known_children.unknown({pid}) == set()
    await until(lambda: not is_there(pid))
    assert stage.launcher.known_children.unknown({pid}) == {pid}


async def test_a_child_gets_a_user_of_its_own_and_keeps_it_until_it_is_closed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_users_module, "_clean_up_after", lambda *_: "")
    users = JobUsers([3_000_000_001])
    monkeypatch.setattr(stage.launcher, "_confinement_pool", ConfinementPool(users))
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    pid = stage.templates[0].spawn_child(*await asked(stage.templates[0]))
    child = await starting
    assert child.user == 3_000_000_001
    assert not child.joins_by_itself  # it may not any more
    assert stage.templates[0].confinements == [Confinement(user=3_000_000_001)]
    assert not users._free
    child.discard()
    await until(lambda: users._free)
    assert not is_there(pid)


async def test_a_sweep_hears_only_who_was_asked_for_a_child_and_has_not_announced_it(stage: Stage) -> None:
    """A call for each of all that fork would cost each job of a burst some thirty of them."""
    (template,) = stage.templates
    heard: list[object] = []
    hear = stage.launcher._requests.hear

    def recorded(forker: Any) -> bool:
        heard.append(forker)
        return hear(forker)

    stage.launcher._requests.hear = recorded  # type: ignore[method-assign]
    assert stage.launcher.drain_starts() == frozenset()
    assert heard == []
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    request = await asked(template)
    stage.launcher.drain_starts()
    assert heard == [template]
    pid = template.spawn_child(*request)
    child = await starting
    heard.clear()
    stage.launcher.drain_starts()
    assert heard == []
    child.discard()
    await until(lambda: not is_there(pid))
