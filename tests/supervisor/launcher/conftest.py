"""Where the tests of starting, watching and ending children find their job host, and children without one."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from launcher_support import ProcessLauncher
from played_template import Stage

from supervisor.launcher import template as template_module

sys.path.append(str(Path(__file__).parents[2] / "hosting"))


@pytest.fixture
async def process_launcher() -> AsyncIterator[ProcessLauncher]:
    """Bears children that need no template, and ends those that a test has left."""
    process_launcher = ProcessLauncher()
    yield process_launcher
    await process_launcher.clear()


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A launcher whose first template, played by the test, is there."""
    stage = Stage()
    monkeypatch.setattr(template_module, "start_template", stage.start_template)
    await stage.launcher.start()
    yield stage
    await stage.close()
