"""What the watchdog makes of a worker that makes no progress, and of one whose engine is away."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from supervisor.log.events.worker import ProgressLost
from tests.programs.systemd.manager import PATIENCE_SECONDS, SERVICE, Manager
from tests.programs.systemd.step import step
from tests.programs.systemd.steps.ending import WATCHDOG_SECONDS, running_job
from tests.programs.systemd.wedged import TURN_SECONDS

_DROP_IN: Final = f"""
[Service]
WatchdogSec={WATCHDOG_SECONDS}
ExecStart=
ExecStart=/opt/neops-supervisor/bin/python3 /opt/checkout/tests/programs/systemd/wedged.py
"""
_MORE_SECONDS: Final = 3.0
"""By how much an outage lasts longer than the watchdog waits."""

_ECHO: Final = "neops_base/echo:1.0.0"


@step("a worker whose poller is wedged is started again by the watchdog, and says what it was")
async def wedged(manager: Manager) -> str:
    await manager.configure(_DROP_IN)
    await manager.start()
    job = await running_job(manager)
    before = len(manager.said_all())
    (manager.log.parent / "wedge").touch(mode=0o666)
    begun = time.monotonic()
    while (await manager.show("NRestarts"))["NRestarts"] == "0":
        assert time.monotonic() < begun + PATIENCE_SECONDS, f"the watchdog has not ended it. {manager.said()}"
        await asyncio.sleep(0.1)
    took = time.monotonic() - begun
    said = manager.said_all()[before:]
    assert f"event={ProgressLost.name}" in said, said
    assert "the poller" in said, said
    assert "Fatal Python error: Aborted" in said or "Current thread" in said, said
    await manager.until_shown("ActiveState", "active")
    assert not (await manager.result_of(job))["success"], "its job went on"
    assert (await manager.result_of(manager.engine.submit(block=_ECHO, parameters={"text": "x"})))["success"]
    return (
        f"ended {took:.1f} s after it, with {TURN_SECONDS:g} s for a turn and WatchdogSec={WATCHDOG_SECONDS}"
    )


class Line:
    """A line to the engine that can be cut, or kept open without a word getting through."""

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url)
        self._server: asyncio.Server
        self._open: set[asyncio.Task[None]] = set()
        self.is_silent = False
        self._kept = _bound(0)
        self.port: int = self._kept.getsockname()[1]

    async def connect(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._kept)

    async def cut(self) -> None:
        self._server.close()
        self._kept = _bound(self.port)  # refuses, and nobody else gets the port
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def end(self) -> None:
        await self.cut()
        self._kept.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            there = await asyncio.open_connection(self._there.hostname, self._there.port)
            await asyncio.gather(self._copy(reader, there[1]), self._copy(there[0], writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while data := await reader.read(2**16):
                while self.is_silent:
                    await asyncio.sleep(0.1)
                writer.write(data)


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    line = Line(url)
    await line.connect()
    try:
        yield line
    finally:
        await line.end()


@step("an engine that is away, or takes requests and answers none, is no reason to start the worker again")
async def outage(manager: Manager) -> str:
    async with line_to(manager.engine.url) as line:
        await manager.configure(_DROP_IN, NEOPS_ENGINE_URL=f"http://127.0.0.1:{line.port}")
        await manager.start()
        before = await manager.show("MainPID", "NRestarts")
        said_before = len(manager.said_all())
        silent_seconds = TURN_SECONDS + WATCHDOG_SECONDS + _MORE_SECONDS
        line.is_silent = True
        await asyncio.sleep(silent_seconds)
        line.is_silent = False
        await line.cut()
        await asyncio.sleep(WATCHDOG_SECONDS + _MORE_SECONDS)
        status = await manager.until_status("the engine can't be asked for jobs: ")
        assert status.startswith("the engine can't be asked for jobs: "), status
        await line.connect()
        result = await manager.result_of(manager.engine.submit(block=_ECHO, parameters={"text": "x"}))
        assert result["success"], result
        assert await manager.show("MainPID", "NRestarts") == before, manager.said()
        assert f"event={ProgressLost.name}" not in manager.said_all()[said_before:], manager.said()
        await manager.systemctl("stop", SERVICE)
    return (
        f"silent for {silent_seconds:g} s, gone for {WATCHDOG_SECONDS + _MORE_SECONDS:g} s, "
        f"with WatchdogSec={WATCHDOG_SECONDS}"
    )
