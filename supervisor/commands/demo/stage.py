"""The programs of the demo: engine, emulated device, worker and timer. Leaving the stage ends them all."""

import importlib.util
import os
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from supervisor.commands.demo.census import Census
from supervisor.commands.demo.engine_view import Device
from supervisor.commands.demo.environment import program_environment
from supervisor.commands.demo.scenario import BLOCKS, GRACE_SECONDS, MAX_JOB_SECONDS, SLOTS
from supervisor.commands.local.worker_lines import READY, for_people
from supervisor.commands.shared.program import LineHandler, Program
from supervisor.settings.marks import MARK_VARIABLE

SET_UP_SECONDS: Final = 20.0
"""How long one program may take to be ready. The worker imports netmiko, which takes a second or two."""

STOP_SECONDS: Final = 10.0
NO_DEVICE: Final = (
    "asyncssh, which the emulated device needs, is not installed. "
    "Install it with: pip install 'neops-supervisor[emulator]'"
)


def can_emulate_devices() -> bool:
    """Whether asyncssh, which the emulated device needs, is installed."""
    return importlib.util.find_spec("asyncssh") is not None


class Stage:
    """Starts programs that don't see this machine's settings. An async context manager."""

    def __init__(self, directory: Path, census: Census, mark: str, on_line: LineHandler) -> None:
        self._directory = directory
        self._census = census
        self._mark = mark
        self._on_line = on_line
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    @property
    def token_file(self) -> Path:
        """Where the engine puts its token."""
        return self._directory / "engine.token"

    async def start_engine(self) -> str:
        """Start the embedded engine and return its URL. Raises `ProgramError`, like all these methods."""
        engine = await self._start(
            *("engine", "sdk.devengine", "--port", "0", "--database", ":memory:", "--test-controls"),
            *("--token-file", str(self.token_file)),
        )
        self._census.expect(engine.pid)
        ready = await engine.wait_for_line(r"^devengine listening on (http://\S+)$", SET_UP_SECONDS)
        return ready[1]

    async def start_device(self) -> Device:
        """Start the emulated IOS device."""
        username, password = "demo", secrets.token_urlsafe(12)
        program = await self._start(
            "device", "sdk.testing.devices", "--username", username, stdin_line=password
        )
        self._census.expect(program.pid)
        ready = await program.wait_for_line(r"^emulated IOS listening on \S+:(\d+)$", SET_UP_SECONDS)
        return Device(int(ready[1]), username, password)

    async def start_worker(self, engine_url: str, heartbeat_seconds: float) -> Program:
        """Start the worker, and return it when it is registered and asks for jobs."""
        settings = {
            "--engine-url": engine_url,
            "--engine-token-file": str(self.token_file),
            "--function-blocks": ",".join(BLOCKS),
            "--state-dir": str(self._directory / "state"),
            "--worker-name": "demo",
            "--max-concurrent-jobs": f"{SLOTS}",
            "--max-job-seconds": f"{MAX_JOB_SECONDS:g}",
            "--grace-seconds": f"{GRACE_SECONDS:g}",
            "--heartbeat-seconds": f"{heartbeat_seconds:g}",
            "--poll-seconds": "0.2",
            "--log-format": "json",
            "--startup-retry-seconds": f"{SET_UP_SECONDS:g}",
            # It is stopped when every job has ended, or when the demo has stopped waiting for the rest.
            "--shutdown-timeout-seconds": "0",
            "--job-env": MARK_VARIABLE,
        }
        worker = await self._start(
            "worker", "supervisor", *(word for pair in settings.items() for word in pair)
        )
        await worker.wait_for_line(READY, SET_UP_SECONDS)
        return worker

    async def start_timer(self, interval_seconds: float) -> Program:
        """Start measuring how late this machine's timers are."""
        timer = await self._start("timer", "supervisor.commands.demo.timer", f"{interval_seconds:g}")
        self._census.expect(timer.pid)
        await timer.wait_for_line("^timer ready$", SET_UP_SECONDS)
        return timer

    async def _start(self, name: str, *arguments: str, stdin_line: str = "") -> Program:
        program = await Program.start(
            name,
            arguments,
            environment=program_environment(os.environ, self._mark),
            directory=self._directory,
            on_line=self._on_line,
            stdin_line=stdin_line,
            for_people=for_people,
        )
        self._running.push_async_callback(program.stop, STOP_SECONDS)
        return program
