"""A worker that stands still, alone or with its helpers: who has answered meanwhile is heard, and nobody is blamed."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from played_template import Stage, asked

from jobrunner.protocol.entry import Discovery
from jobrunner.protocol.messages import Ready
from supervisor.launcher import Imports
from supervisor.launcher import template as template_module
from supervisor.launcher.environment import job_environment
from supervisor.launcher.importer import start_template
from supervisor.launcher.known_children import KnownChildren
from supervisor.log.events.processes import TemplateReplaced
from tests.log_events import told
from tests.patience import until

LIMIT_SECONDS = 0.5
STANDSTILL_SECONDS = 4 * LIMIT_SECONDS


def stand_still() -> None:
    """Let this process do nothing from the loop's next turn on."""
    asyncio.get_running_loop().call_soon(time.sleep, STANDSTILL_SECONDS)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_module, "START_TIMEOUT_SECONDS", LIMIT_SECONDS)


async def test_a_module_whose_import_ended_while_the_worker_stood_still_is_not_left_out(
    tmp_path: Path,
) -> None:
    """It would be left out for as long as the worker runs, and all its jobs would fail."""
    begun = tmp_path / "begun"
    (tmp_path / "slow.py").write_text(
        f"import pathlib, time\n"
        f"from sdk import register_function_block\n"
        f"pathlib.Path({str(begun)!r}).touch()\n"
        f"time.sleep({LIMIT_SECONDS / 2})\n"
    )
    directory = Discovery((str(tmp_path / "slow.py"),))
    imports = Imports(directory, job_environment(os.environ, frozenset()), import_seconds=LIMIT_SECONDS)
    starting = asyncio.ensure_future(start_template(imports, KnownChildren()))
    await until(lambda: begun.exists() or starting.done())
    assert not starting.done(), starting.result()[1]
    stand_still()
    template, catalogue = await starting
    await template.end()
    assert [problem.kind for problem in catalogue.problems] == []


@pytest.mark.usefixtures("limit")
async def test_a_template_that_stood_still_with_the_worker_has_time_to_start_the_child(stage: Stage) -> None:
    (template,) = stage.templates
    starting = asyncio.ensure_future(stage.launcher.spawn_child())
    request = await asked(template)
    stand_still()
    await asyncio.sleep(0.1)
    template.spawn_child(*request)
    (await starting).discard()


@pytest.mark.usefixtures("limit")
async def test_a_child_that_got_ready_while_the_worker_stood_still_is_used(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    (template,) = stage.templates
    for _ in range(2):  # after two that were not ready, the template is replaced
        starting = asyncio.ensure_future(stage.launcher.spawn_child())
        request, descriptors = await asked(template)
        pid = template.spawn_silent_child(request, descriptors)
        await until(lambda: not stage.launcher._requests.asked)
        await asyncio.sleep(0)
        os.write(descriptors.channel, Ready(pid=pid).pack())
        time.sleep(STANDSTILL_SECONDS)
        (await starting).discard()
    assert not told(caplog, TemplateReplaced)
