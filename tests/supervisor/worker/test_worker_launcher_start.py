"""Bringing up a launcher: what is handed on where the template can't be forked."""

import logging
from pathlib import Path

import pytest

from supervisor.launcher import job_users as job_users_module
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.spawn_launcher import SpawnLauncher
from supervisor.launcher.template import TemplateLauncher
from supervisor.log.events.processes import JobUserLost, JobUserRestored
from supervisor.settings.run_settings import RunSettings
from supervisor.worker.offered_blocks import start_launcher
from tests.log_events import told

USER = 3_000_000_001
THREAD_AT_IMPORT = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", TemplateLauncher), (THREAD_AT_IMPORT, SpawnLauncher)],
    ids=["forked", "spawned, as a module starts a thread"],
)
async def test_a_job_user_whose_clean_up_failed_once_is_free_again_however_children_are_started(
    text: str,
    kind: type,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    problems = ["a file of it can't be removed"]
    monkeypatch.setattr(job_users_module, "_clean_up_after", lambda *_: problems.pop() if problems else "")
    monkeypatch.setattr(job_users_module, "_TRY_AGAIN_SECONDS", 0.001)
    module = tmp_path / "module.py"
    module.write_text(text)
    users = JobUsers([USER])
    launcher, _ = await start_launcher(RunSettings(function_blocks=[str(module)]), users)
    try:
        assert isinstance(launcher, kind)
        users.give_back(await users.take())
        assert await users.take() == USER
    finally:
        await launcher.close()
    assert len(told(caplog, JobUserLost)) == len(told(caplog, JobUserRestored)) == 1
