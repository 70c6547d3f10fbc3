"""The health of a real worker: true for who may ask, and closed to its own jobs."""

import asyncio
import http.client
import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract_support import ECHO, SLOW, WAITS, Setup
from contract_worker import Worker

from sdk.devengine import DevEngine
from supervisor.log.events.health import HealthRefused, HealthServed
from supervisor.log.events.worker import StartRefused
from tests.patience import PATIENCE_SECONDS, until

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

StartWorker = Callable[..., Worker]

PYTHON = "neops_base/python_eval:1.0.0"
CALM = ("--heartbeat-seconds", "10")
"""A worker whose ping is not answered within the interval is not ready until the next one: this machine may be late."""
TOKEN = "0123456789abcdef0123456789abcdef"

ASK_IN_A_JOB = """
import socket

def asked(family, address, path, *headers):
    try:
        with socket.socket(family) as connection:
            connection.settimeout(20)
            connection.connect(address)
            lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]
            connection.sendall("\\r\\n".join(lines).encode())
            got = b""
            while piece := connection.recv(65536):
                got += piece
            return got.decode()
    except OSError as error:
        return f"{type(error).__name__}" if not isinstance(error, ConnectionError) else ""
"""


def connected(address: str) -> http.client.HTTPConnection:
    if not address.startswith("/"):
        return http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_SECONDS)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(address)
    return connection


async def ask(address: str, path: str, **headers: str) -> tuple[int, str]:
    def blocking() -> tuple[int, str]:
        connection = connected(address)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    return await asyncio.to_thread(blocking)


async def ready(address: str) -> None:
    """Wait until the worker says that it is. It looks at itself once a second."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await ask(address, "/ready"))[0] != 200:
            await asyncio.sleep(0.05)


async def in_a_job(setup: Setup, expression: str) -> Any:
    result = await setup.run(PYTHON, {"source": f"{ASK_IN_A_JOB}\n{expression}"})
    assert result["success"], result["message"]
    return result["data"]["value"]


async def test_a_port_tells_metrics_for_the_token_and_a_job_learns_from_it_no_more_than_whether_it_is_ready(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    pytest.importorskip("prometheus_client", reason="the extra `metrics` is not installed")
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(TOKEN)
    flags = ("--health-address", "127.0.0.1:0", "--health-token-file", str(token))
    worker = start_worker(engine.url, *CALM, *flags, "--function-blocks", "blocks.echo,blocks.python_eval")
    setup = Setup(engine, worker)
    address = (await setup.logged(HealthServed)).partition(" served on ")[2].split(". ")[0]
    await worker.ready()
    assert (await ask(address, "/live"))[0] == 200
    await ready(address)
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    await setup.run(ECHO, {"text": "counted"})
    port = address.rpartition(":")[2]
    where = f'socket.AF_INET, ("127.0.0.1", {port})'
    told = await in_a_job(
        setup,
        f'[asked({where}, path) for path in ("/ready", "/live", "/metrics", "/jobs", "/ready?token=x")]',
    )
    statuses = [answer.split()[1] for answer in told]
    assert statuses == ["200", "200", "401", "404", "200"]
    assert "neops" not in "".join(answer.partition("\r\n\r\n")[2] for answer in told)
    wrong = await in_a_job(setup, f'asked({where}, "/metrics", "Authorization: Bearer {TOKEN[:-1]}x")')
    assert wrong.split()[1] == "401"
    await setup.logged(HealthRefused, "token")

    status, text = await ask(address, "/metrics", **bearer)
    assert status == 200
    assert f'neops_worker_results_total{{block="{ECHO}",cause="completed",outcome="success"}} 1.0' in text
    assert "neops_worker_claims_total 3.0" in text
    assert "neops_worker_slots 1.0" in text
    assert json.loads((await ask(address, "/ready", **bearer))[1]) == {"ready": True, "why_not": []}

    # One that has its port in use does not start, and says why.
    second = start_worker(engine.url, "--health-address", address, name="second")
    assert await second.exit_code() == 1
    assert any(
        StartRefused.name in line and "another process uses this port" in line
        for line in second.log.splitlines()
    )


async def test_a_job_that_a_kill_has_interrupted_counts_as_a_result_of_its_block(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    pytest.importorskip("prometheus_client", reason="the extra `metrics` is not installed")
    path = tmp_path / "health.sock"
    flags = ("--health-address", str(path), "--function-blocks", "blocks.testing")
    killed = start_worker(engine.url, *flags)
    setup = Setup(engine, killed)
    await killed.ready()
    interrupted = engine.submit(block=SLOW, parameters={"seconds": 60})
    await setup.started(interrupted)
    await until(setup.claims_on_disk, "the claim is on the disk")
    os.kill(killed.supervisor_pid, signal.SIGKILL)
    await killed.exit_code()
    setup.worker = start_worker(engine.url, *flags)
    await setup.worker.ready()
    await setup.result(interrupted)
    _, text = await ask(str(path), "/metrics")
    counted = f'results_total{{block="{SLOW}",cause="worker_restarted",outcome="failed"}} 1.0'
    assert [line for line in text.splitlines() if "results_total{" in line] == [f"neops_worker_{counted}"]


async def test_a_socket_tells_root_everything_and_a_job_not_a_byte(
    engine: DevEngine, start_worker: StartWorker, tmp_path: Path
) -> None:
    path = tmp_path / "health.sock"
    flags = (*CALM, "--health-address", str(path), "--function-blocks", "blocks.python_eval")
    worker = start_worker(engine.url, *flags)
    setup = Setup(engine, worker)
    await worker.ready()
    assert await in_a_job(setup, f'asked(socket.AF_UNIX, "{path}", "/ready")') == ""
    await setup.logged(HealthRefused)
    await ready(str(path))
    status, text = await ask(str(path), "/ready")
    assert (status, json.loads(text)) == (200, {"ready": True, "why_not": []})
    # A worker that is being stopped says so, for as long as it is there.
    job = engine.submit(block=WAITS, parameters={"choice": str(tmp_path / "release")})
    await setup.started(job)
    worker.terminate()

    async def reasons() -> list[str]:
        return [why["cause"] for why in json.loads((await ask(str(path), "/ready"))[1])["why_not"]]

    async with asyncio.timeout(PATIENCE_SECONDS):
        while "stopping" not in await reasons():
            await asyncio.sleep(0.05)
    assert (await ask(str(path), "/live"))[0] == 200
    (tmp_path / "release").touch()
    assert await worker.exit_code() == 0
    assert not path.exists()
