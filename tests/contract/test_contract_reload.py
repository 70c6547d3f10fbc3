"""SIGHUP: new code and settings for the next jobs, nothing lost, and what is bad changes nothing."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from contract_support import Setup, ask, body_of, lines_of, status_is, status_of
from contract_worker import ROOT, Worker

from sdk.devengine import DevEngine, Fault
from supervisor.log.event import Event
from supervisor.log.events.blocks import BlockRefused
from supervisor.log.events.jobs import JobStarted
from supervisor.log.events.worker import Reloaded, ReloadIgnored, ReloadRefused, RestartNeeded, StopSignalled
from tests.patience import until

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]

MODULE = """
import asyncio, os
from sdk import *

class Data(FunctionBlockResultData):
    text: str

class Params(FunctionBlockParams):
    until_there: str = ""
    characters: int = 0

@register_function_block(Registration(name="NAME", package="reload", description="d", run_on="global",
    fb_type="execute", param_cls=Params, result_cls=Data))
class Block(FunctionBlock[Params, Data]):
    async def run(self, params, context):
        while params.until_there and not os.path.exists(params.until_there):
            await asyncio.sleep(0.02)
        return FunctionBlockResult(success=True, message="m", data=Data(text="VERSION" + "x" * params.characters))
"""


class Site:
    """A directory with one module of blocks, an `.env`, and a worker that uses them."""

    def __init__(self, engine: DevEngine, start_worker: StartWorker, directory: Path, *flags: str) -> None:
        self.directory = directory
        self.module = directory / "worker" / "site" / "module_of_this_site.py"
        self.module.parent.mkdir(parents=True)
        self.write("one")
        sources = ("--function-blocks", str(self.module.parent), "--max-concurrent-jobs", "2", *flags)
        self.setup = Setup(engine, start_worker(engine.url, *sources))

    def write(self, version: str, name: str = "greet") -> None:
        self.module.write_text(MODULE.replace("VERSION", version).replace("NAME", name))

    def set(self, text: str) -> None:
        (self.module.parents[1] / ".env").write_text(text)

    async def reload(self, until_logged: type[Event], *words: str) -> None:
        # Counted, as the same may have been said before.
        before = len(lines_of(self.setup.worker.log, until_logged, *words))
        self.setup.worker.signal(signal.SIGHUP)
        await until(
            lambda: len(lines_of(self.setup.worker.log, until_logged, *words)) > before, until_logged.name
        )

    async def greet(self, **parameters: Any) -> str:
        result = await self.setup.run("reload/greet:1.0.0", parameters)
        assert result["success"], result
        return str(result["data"]["text"])


@pytest_asyncio.fixture(loop_scope="session")
async def site(engine: DevEngine, start_worker: StartWorker, tmp_path: Path) -> Site:
    site = Site(engine, start_worker, tmp_path)
    await site.setup.worker.ready()
    return site


async def test_the_next_job_runs_new_code_and_a_running_one_finishes_with_the_old(
    site: Site, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    running = asyncio.ensure_future(site.greet(until_there=str(release)))
    await until(lambda: site.setup.lines(JobStarted), "the job runs")
    site.write("two")
    await site.reload(Reloaded)
    assert await site.greet() == "two"
    assert not running.done()
    release.touch()
    assert await running == "one"


async def test_no_job_fails_while_the_worker_is_reloaded_again_and_again(site: Site) -> None:
    async def work() -> list[str]:
        return [await site.greet() for _ in range(40)]

    working = asyncio.ensure_future(work())
    for number in range(5):
        site.write(f"version {number}")
        await site.reload(Reloaded)
    seen = await working
    # Saved several times in one second, and of one size.
    assert not list(site.module.parent.glob("__pycache__"))
    assert set(seen) <= {"one", *(f"version {number}" for number in range(5))}
    assert await site.greet() == "version 4"


async def test_a_block_that_the_engine_refuses_after_a_reload_is_named_to_who_has_asked(site: Site) -> None:
    site.write("one", "renamed")
    site.setup.engine.faults.add(Fault("register_block", status=400, body={"message": "not that name"}))
    code, stdout, _ = await ask(site.setup, "reload")
    assert code == 0
    (refused,) = (line for line in stdout.splitlines() if line.startswith("refused by the engine:"))
    assert refused.startswith("refused by the engine: reload/renamed:1.0.0: ")
    assert "not that name" in refused


async def test_a_reload_after_which_the_engine_takes_no_block_fails(site: Site) -> None:
    faults, setup = site.setup.engine.faults, site.setup
    faults.add(Fault("register_block", status=400, body={"message": "none of them"}, times=200))
    await setup.forget_worker()
    await until(lambda: setup.lines(BlockRefused), "blocks are refused")
    code, stdout, stderr = await ask(site.setup, "reload")
    assert (code, stdout.splitlines()[0]) == (1, "reloaded: 0 block(s)")
    assert "takes no block of this worker" in stderr
    code, stdout, _ = await ask(site.setup, "reload", "--json")
    assert (code, json.loads(stdout)["blocks"]) == (1, 0)
    faults.clear()
    assert (await ask(site.setup, "reload"))[0] == 0


async def test_a_worker_of_which_the_engine_accepts_no_block_any_more_is_not_ready_until_a_reload(
    site: Site,
) -> None:
    faults, setup = site.setup.engine.faults, site.setup
    blocks = (await status_of(setup))["blocks"]
    faults.add(Fault("register_block", status=400, body={"message": "none of them"}, times=blocks))
    await setup.forget_worker()
    await until(lambda: not faults.waiting, "every block is refused")
    # The answer to the last one may still be on its way to the worker.
    status = await status_is(setup, lambda status: causes(status) == ["no_block"])
    assert status["ready"] is False
    assert "none of them" in status["why_not"][0]["message"]
    await site.reload(Reloaded)
    await status_is(setup, lambda status: status["ready"] and not status["why_not"])
    assert await site.greet() == "one"


BASE = "import sdk\nclass Base(sdk.FunctionBlock): ...\n"
"""At the end of a module that must be imported, and has no block."""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def", "SyntaxError"),
        (f"import a_module_that_nobody_has\n{BASE}", "a_module_that_nobody_has"),
        (f"import os; os._exit(3)\n{BASE}", "exit code 3"),
    ],
    ids=["syntax", "import", "death"],
)
async def test_broken_code_leaves_the_old_in_force_and_says_where_it_is_broken(
    site: Site, text: str, said: str
) -> None:
    site.module.write_text(text)
    await site.reload(ReloadRefused)
    line = site.setup.lines(ReloadRefused)[0]
    assert str(site.module) in line
    await site.setup.logged(said)
    assert await site.greet() == "one"
    site.write("mended")
    await site.reload(Reloaded)
    assert await site.greet() == "mended"


async def test_a_setting_is_read_anew_and_one_that_is_wrong_leaves_the_old_in_force(site: Site) -> None:
    assert len(await site.greet(characters=3_000_000)) > 3_000_000
    site.set("NEOPS_MAX_RESULT_MB=2\nNEOPS_WORKER_NAME=other\n")
    await site.reload(Reloaded)
    await site.setup.logged(RestartNeeded, "restart: --worker-name.")
    for text in ("", "NEOPS_MAX_RESULT_MB=plenty\n"):
        if text:
            site.set(text)
            await site.reload(ReloadRefused, "NEOPS_MAX_RESULT_MB in .env, line 1")
        result = await site.setup.run("reload/greet:1.0.0", {"characters": 3_000_000})
        assert "--max-result-mb" in result["message"]


async def test_what_is_offered_follows_the_code(site: Site) -> None:
    site.write("one", name="welcome")
    await site.reload(Reloaded)
    assert (await site.setup.run("reload/welcome:1.0.0"))["success"]
    gone = site.setup.engine.submit(block="reload/greet:1.0.0")
    polls = len(site.setup.sent("poll"))
    await until(lambda: len(site.setup.sent("poll")) > polls + 1, "the worker polls")
    assert site.setup.engine.job(gone).status == "pending"
    names = {block["name"] for block in body_of(site.setup.sent("poll")[-1])["functionBlockIds"]}
    assert "welcome" in names
    assert "greet" not in names


async def test_a_template_that_dies_during_a_reload_does_no_harm(site: Site) -> None:
    pid = site.setup.worker.supervisor_pid

    def template() -> int:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return next((int(c) for c in children if _name(int(c)) == "neops-template"), 0)

    os.kill(await until(template, "there is a template"), signal.SIGKILL)
    site.write("two")
    await site.reload(Reloaded)
    assert await site.greet() == "two"
    await until(lambda: len([c for c in _children(pid) if _name(c) == "neops-template"]) == 1, "one template")


async def test_during_the_drain_nothing_is_reloaded(site: Site, tmp_path: Path) -> None:
    release = tmp_path / "release"
    parameters = {"until_there": str(release)}
    job_id = site.setup.engine.submit(block="reload/greet:1.0.0", parameters=parameters)
    await site.setup.started(job_id)
    site.setup.worker.signal(signal.SIGTERM)
    await site.setup.logged(StopSignalled, "SIGTERM")
    site.setup.worker.signal(signal.SIGHUP)
    await site.setup.logged(ReloadIgnored)
    release.touch()
    assert await site.setup.worker.exit_code() == 0
    assert site.setup.engine.job(job_id).result_status == "success"


async def test_a_terminal_that_is_closed_stops_the_worker_in_order(engine: DevEngine, tmp_path: Path) -> None:
    """The kernel sends SIGHUP then, too: nobody would ever see this worker again."""
    terminal, side = pty.openpty()
    flags = ["--engine-url", engine.url, "--state-dir", str(tmp_path), "--function-blocks", "blocks.echo"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    worker = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-m", "supervisor", *flags, "--poll-seconds", "0.05"],
        stdin=side,
        stdout=side,
        stderr=side,
        env=environment,
        cwd=tmp_path,
    )
    os.close(side)
    setup = Setup(engine, worker)  # type: ignore[arg-type]  # of which only the engine is used here
    try:
        await until(lambda: setup.sent("poll"), "the worker polls")
        os.close(terminal)
        await until(lambda: worker.poll() is not None, "the worker has ended")
        assert worker.returncode == 0
        assert setup.sent("unregister")
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("stops_already", [False, True], ids=["as it works", "after a Ctrl-C"])
async def test_a_terminal_that_is_closed_leaves_a_running_job_its_time_however_often_it_is_told(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path, stops_already: bool
) -> None:
    """bash and zsh pass its SIGHUP on to their jobs, and the kernel sends another one when they have ended."""
    terminal, side = pty.openpty()
    start = partial(start_worker, prefix=("setsid", "--ctty"), terminal=side)
    # Nobody reads the terminal, and what it holds is little.
    flags = ("--max-job-seconds", "300", "--shutdown-timeout-seconds", "300", "--log-level", "warning")
    setup = Site(engine, start, tmp_path, *flags).setup
    os.close(side)
    await until(lambda: setup.sent("poll"), "the worker polls")
    release = tmp_path / "release"
    job_id = engine.submit(block="reload/greet:1.0.0", parameters={"until_there": str(release)})
    await status_is(setup, lambda status: status["running"] == 1)
    if stops_already:
        setup.worker.signal(signal.SIGINT)
        await status_is(setup, is_stopping)
    os.close(terminal)
    await status_is(setup, is_stopping)
    for _ in range(2):
        os.kill(setup.worker.supervisor_pid, signal.SIGHUP)
        assert is_stopping(await status_of(setup)), "what is asked later is answered later"
    release.touch()
    assert await setup.worker.exit_code() == 0
    assert engine.job(job_id).result_status == "success"


def is_stopping(status: dict[str, Any]) -> bool:
    return "stopping" in causes(status)


def causes(status: dict[str, Any]) -> list[str]:
    return [reason["cause"] for reason in status["why_not"]]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
