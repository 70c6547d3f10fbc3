"""Bringing up a launcher: what is handed on where the template can't be forked, and what a new template says."""

import logging
import os
import signal
from pathlib import Path

import pytest

from supervisor.launcher import job_users as job_users_module
from supervisor.launcher.job_users import JobUsers
from supervisor.launcher.spawn_launcher import SpawnLauncher
from supervisor.launcher.template import TemplateLauncher
from supervisor.log.events.blocks import BlocksChanged, BlocksGone, ModuleFailed
from supervisor.log.events.processes import JobUserLost, JobUserRestored, TemplateReady
from supervisor.settings.run_settings import RunSettings
from supervisor.worker.offered_blocks import start_launcher
from tests.log_events import told
from tests.patience import until

USER = 3_000_000_001
THREAD_AT_IMPORT = (
    "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
)

BLOCK = """
from sdk import (
    FunctionBlock, FunctionBlockParams, FunctionBlockResult, FunctionBlockResultData, Registration,
    register_function_block,
)
@register_function_block(Registration(package="acme", name="{name}", description="", run_on="global",
    fb_type="none", param_cls=FunctionBlockParams, result_cls=FunctionBlockResultData))
class Block(FunctionBlock[FunctionBlockParams, FunctionBlockResultData]):
    async def run(self, params, context):
        return FunctionBlockResult(success=True, message="", data=FunctionBlockResultData())
"""


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


async def test_a_template_that_comes_back_with_other_blocks_than_are_offered_says_which_and_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for name in ("changed", "gone", "kept"):
        (tmp_path / f"{name}.py").write_text(BLOCK.format(name=name))
    (tmp_path / "broken.py").write_text(
        "raise RuntimeError('known since the start')" + BLOCK.format(name="broken")
    )
    launcher, catalogue = await start_launcher(RunSettings(function_blocks=[str(tmp_path)]))
    assert isinstance(launcher, TemplateLauncher)

    async def come_back() -> None:
        caplog.clear()
        assert launcher.template_pid is not None
        os.kill(launcher.template_pid, signal.SIGKILL)
        await until(lambda: told(caplog, TemplateReady))

    try:
        assert [block.name for block in catalogue.blocks] == ["changed", "gone", "kept"]
        await come_back()
        assert told(caplog, ModuleFailed, BlocksGone, BlocksChanged) == []
        with (tmp_path / "changed.py").open("a") as changed, (tmp_path / "gone.py").open("a") as gone:
            changed.write("# other code")
            gone.write("raise RuntimeError('a reload was refused for this')")
        for _ in range(2):  # it is compared with what is offered, and that is as it was
            await come_back()
            (failed,) = told(caplog, ModuleFailed)
            assert failed["file"] == str(tmp_path / "gone.py")
            assert told(caplog, BlocksGone) == [{"blocks": "acme/gone:1.0.0"}]
            assert told(caplog, BlocksChanged) == [{"blocks": "acme/changed:1.0.0"}]
        await launcher.reload(launcher._imports, lambda _: None)
        await come_back()
        assert told(caplog, ModuleFailed, BlocksGone, BlocksChanged) == []
    finally:
        await launcher.close()
