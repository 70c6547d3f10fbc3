"""What the worker tells systemd: ready when it is registered, stopping when it is told to."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from deploy_support import ROOT

from sdk.devengine import DevEngine, EngineOptions
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(params=["a path", "an abstract name"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd listens on, and its address as systemd writes it into the environment."""
    # A path of its own for each test: the address of a socket may have at most 107 characters.
    address = str(tmp_path / "notify") if request.param == "a path" else f"@{tmp_path.name}-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as given:
        given.setblocking(False)
        given.bind(address.replace("@", "\0", 1))
        yield given, address


async def hear(listener: socket.socket, name: str) -> dict[str, str]:
    """The next message that assigns this, as assignments."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            text = (await loop.sock_recv(listener, 4096)).decode()
            if name in (said := dict(line.split("=", 1) for line in text.splitlines())):
                return said


@asynccontextmanager
async def worker(
    url: str, address: str, state: Path, *flags: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = {
        "--engine-url": url,
        "--function-blocks": "blocks,blocks.testing",
        "--state-dir": str(state),
        "--poll-seconds": "0.1",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "supervisor"),
        *(word for pair in settings.items() for word in pair),
        *flags,
        cwd=ROOT,
        env={**os.environ, "NOTIFY_SOCKET": address},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_ready_comes_when_every_block_is_registered_and_stopping_at_sigterm(
    listener: tuple[socket.socket, str], tmp_path: Path
) -> None:
    given, address = listener
    async with (
        DevEngine(EngineOptions(without_token=True)) as engine,
        worker(engine.url, address, tmp_path) as process,
    ):
        ready = await hear(given, "READY")
        assert ready["READY"] == "1"
        blocks = len(engine.registrations())
        assert blocks > 10
        assert f"{blocks} block(s)" in ready["STATUS"]
        assert engine.workers()[0].uuid in ready["STATUS"]
        process.send_signal(signal.SIGTERM)
        assert (await hear(given, "STOPPING"))["STOPPING"] == "1"
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0


async def test_stopping_is_said_while_a_job_still_runs(
    listener: tuple[socket.socket, str], tmp_path: Path
) -> None:
    given, address = listener
    async with (
        DevEngine(EngineOptions(without_token=True)) as engine,
        worker(engine.url, address, tmp_path) as process,
    ):
        await hear(given, "READY")
        job_id = engine.submit(block="neops_testing/slow:1.0.0", parameters={"seconds": 4})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while engine.job(job_id).status == "pending":
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        await hear(given, "STOPPING")
        assert engine.job(job_id).status == "polled", "of its seconds, this takes none on a quiet machine"
        record = await engine.wait_for_result(job_id, PATIENCE_SECONDS)
        assert record.result_status == "success"


async def test_no_job_sees_the_address(listener: tuple[socket.socket, str], tmp_path: Path) -> None:
    given, address = listener
    async with DevEngine(EngineOptions(without_token=True)) as engine, worker(engine.url, address, tmp_path):
        await hear(given, "READY")
        job_id = engine.submit(block="neops_testing/read_state:1.0.0")
        record = await engine.wait_for_result(job_id, PATIENCE_SECONDS)
        assert record.result is not None
        assert "NOTIFY_SOCKET" not in record.result["result"]["data"]["environment"]


async def test_a_worker_that_reaches_no_engine_never_says_that_it_is_ready(
    listener: tuple[socket.socket, str], tmp_path: Path
) -> None:
    given, address = listener
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with worker(url, address, tmp_path, "--startup-retry-seconds", "0.3") as process:
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await process.wait() == 1
    with contextlib.suppress(BlockingIOError):
        while message := given.recv(4096):
            assert b"READY" not in message


async def test_an_address_where_nobody_listens_stops_nothing(tmp_path: Path) -> None:
    async with (
        DevEngine(EngineOptions(without_token=True)) as engine,
        worker(engine.url, str(tmp_path / "nobody"), tmp_path) as process,
    ):
        job_id = engine.submit(block="neops_base/echo:1.0.0", parameters={"text": "x"})
        assert (await engine.wait_for_result(job_id, PATIENCE_SECONDS)).result_status == "success"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.wait() == 0
