"""A real worker is asked by the commands that people type."""

import asyncio
import json
import os
import signal
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_support import SLOW, Setup, ask
from contract_worker import Worker

from sdk.devengine import DevEngine
from supervisor.process import kernel_isolation
from supervisor.worker.control_socket.client import socket_state
from tests.patience import PATIENCE_SECONDS, until

StartWorker = Callable[..., Worker]

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKER_FLAGS = ("--heartbeat-seconds", "10")
"""A worker whose ping is not answered within the interval is not ready until the next one: this machine may be late."""
SECRET = "Trellis-Wagon-1842"
ADDRESS_SHOWN = (
    ("status",),
    ("status", "--json"),
    ("top", "--once"),
    ("top", "--once", "--json"),
    ("config",),
)
"""Commands whose answer has the engine's address."""


async def test_a_ready_worker_says_so_and_the_command_exits_with_0(setup: Setup) -> None:
    code, stdout, stderr = await ask(setup, "status", "--json")
    assert (code, stderr) == (0, "")
    status = json.loads(stdout)
    assert (status["ready"], status["why_not"], status["warnings"], status["slots"]) == (True, [], [], 2)
    assert status["pid"] == setup.worker.supervisor_pid
    assert status["version"].startswith("neops-supervisor")
    assert 0 < status["started_at"] <= time.time()
    _, stdout, _ = await ask(setup, "status")
    assert f"version  {status['version']}\nsince    2" in stdout
    # Whoever asks the worker and whoever asks the engine learn which code it is.
    told = {str(each.block): each.body["description"] for each in setup.engine.registrations()}
    assert status["code"].keys() == told.keys()
    assert all(code and told[block].endswith(f"[code {code}]") for block, code in status["code"].items())


async def test_a_job_is_shown_while_it_runs_and_not_known_before(setup: Setup) -> None:
    job_id = setup.engine.submit(block=SLOW, parameters={"seconds": 600})
    await setup.started(job_id)
    code, stdout, _ = await ask(setup, "jobs", "--json")
    listed = {job["job_id"]: job for job in json.loads(stdout)["jobs"]}
    assert (code, listed[job_id]["block"], listed[job_id]["state"]) == (0, SLOW, "running")
    assert Path(f"/proc/{listed[job_id]['pid']}").exists()
    code, stdout, _ = await ask(setup, "job", job_id)
    assert code == 0
    assert str(listed[job_id]["pid"]) in stdout
    code, stdout, stderr = await ask(setup, "job", "no-such-job")
    assert (code, stdout) == (5, "")
    assert "no job no-such-job" in stderr
    os.kill(listed[job_id]["pid"], signal.SIGKILL)
    await setup.result(job_id)


async def test_a_job_learns_nothing_at_the_control_socket_even_with_the_secret(setup: Setup) -> None:
    directory = setup.worker.state_dir / "run"
    secret = (directory / "control.secret").read_text()
    result = await setup.run("contract/asks_worker:1.0.0", {"directory": str(directory), "given": secret})
    assert result["success"], result["message"]
    got = result["data"]["got"]
    assert {way: got.pop(way) for way in ("itself", "child", "daemon")} == dict.fromkeys(
        ("itself", "child", "daemon"), "got: "
    )
    if kernel_isolation.detect().landlock_abi:  # else they are as open as all that is of the worker's user
        assert set(got.values()) == {"refused: Permission denied"}, got
    assert (await ask(setup, "status"))[0] == 0


async def test_a_worker_whose_engine_is_away_at_the_start_says_that_it_is_on_its_way_up(
    start_worker: StartWorker,
) -> None:
    worker = start_worker("http://127.0.0.1:9")
    await until(lambda: socket_state(worker.state_dir / "run") == "listens", "it listens")
    setup = Setup(None, worker)  # type: ignore[arg-type]  # there is no engine
    code, stdout, _ = await ask(setup, "status", "--json")
    assert code == 1
    status = json.loads(stdout)
    assert [reason["cause"] for reason in status["why_not"]] == ["starting"]
    assert "neops-supervisor" in status["version"]
    assert status["state_dir"] == str(worker.state_dir)
    for words in (("jobs",), ("top", "--once")):
        code, stdout, stderr = await ask(setup, *words)
        assert (code, stdout) == (3, "")
        assert "The worker is on its way up" in stderr


async def test_a_support_bundle_of_a_worker_on_its_way_up_has_its_status_and_its_files(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker("http://127.0.0.1:9")
    path = tmp_path / "bundle.tar.gz"
    await until(lambda: socket_state(worker.state_dir / "run") == "listens", "it listens")
    setup = Setup(None, worker)  # type: ignore[arg-type]  # there is no engine
    code, _, stderr = await ask(setup, "support-bundle", "--output", str(path))
    assert (code, stderr) == (0, "")
    with tarfile.open(path) as tar:
        files = {each.name.partition("/")[2]: tar.extractfile(each) for each in tar}
        status, listed = (
            json.loads(file.read() if (file := files[name]) else "{}")
            for name in ("status.json", "state-directory.json")
        )
    assert status["why_not"][0]["cause"] == "starting"
    assert "run/control.sock" in {entry["name"] for entry in listed["entries"]}


async def test_no_answer_of_a_worker_has_the_password_in_the_engine_s_address(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    worker = start_worker(engine.url.replace("://", f"://me:{SECRET}@"), *WORKER_FLAGS)
    await worker.ready()
    setup = Setup(engine, worker)
    shown = engine.url.replace("://", "://***@")
    answers = {words: await ask(setup, *words) for words in ADDRESS_SHOWN}
    assert {words: (code, shown in out) for words, (code, out, _) in answers.items()} == dict.fromkeys(
        ADDRESS_SHOWN, (0, True)
    )
    assert SECRET not in str(answers)


async def test_a_worker_without_a_control_socket_works_and_the_commands_find_nobody(
    engine: DevEngine, start_worker: StartWorker
) -> None:
    worker = start_worker(engine.url, "--control", "off")
    await worker.ready()
    code, stdout, stderr = await ask(Setup(engine, worker), "status")
    assert (code, stdout) == (3, "")
    assert "No worker listens in" in stderr


async def test_a_second_worker_in_the_same_runtime_directory_leaves_the_first_one_s_socket_alone(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    place = str(tmp_path / "run")
    first = start_worker(engine.url, "--runtime-dir", place, name="first")
    await first.ready()
    second = start_worker(engine.url, "--runtime-dir", place, name="second")
    await second.ready()
    assert "event=control_unavailable" in second.log
    status = json.loads((await ask(Setup(engine, first), "status", "--json", "--runtime-dir", place))[1])
    assert status["pid"] == first.supervisor_pid


async def test_a_job_that_floods_the_control_socket_locks_nobody_out_and_can_be_cancelled(
    setup: Setup,
) -> None:
    directory = str(setup.worker.state_dir / "run")
    job_id = setup.engine.submit(
        block="contract/floods_worker:1.0.0", parameters={"directory": directory, "given": "nothing"}
    )
    await setup.started(job_id)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "flooded" not in (await ask(setup, "job", job_id))[1]:
            await asyncio.sleep(0.05)
    code, _, stderr = await ask(setup, "status")
    assert (code, stderr) == (0, "")
    code, stdout, stderr = await ask(setup, "cancel", job_id)
    assert (code, stderr) == (0, "")
    assert stdout.startswith("cancelled: ")
