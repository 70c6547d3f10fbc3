"""Engine and worker as processes of their own, which can be killed and started again."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from supervisor.commands.demo.environment import program_environment
from tests.patience import PATIENCE_SECONDS
from tests.tokens import bearer

BLOCKS: Final = Path(__file__).parent / "fault_blocks"
ACT: Final = "neops_faults/act:1.0.0"
ACT_AGAIN: Final = "neops_faults/act_again:1.0.0"


class FaultTestError(Exception):
    """The machinery itself could not do its work: says what, and with which program."""


class Program:
    """One `python -m MODULE` in a session of its own, its output appended to a file."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.log_file = directory / f"{name}.log"
        self.log_file.touch()
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    async def start(
        self, *arguments: str, environment: dict[str, str] | None = None, prefix: Sequence[str] = ()
    ) -> None:
        """Start it, behind a command that execs it if there is a `prefix`. It must not be running."""
        assert not self.is_running
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *prefix,
                sys.executable,
                # As `supervisor` itself is started: without the working directory among the places of modules, which
                # jobs can't write to.
                "-P",
                "-m",
                *arguments,
                env=program_environment(os.environ, "faults") | (environment or {}),
                cwd=self._directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its number, also after its end."""
        assert self._process is not None
        return self._process.pid

    def said(self) -> str:
        """Return what it has printed since its last start."""
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def wait_for(self, pattern: str, timeout_seconds: float = PATIENCE_SECONDS) -> re.Match[str] | None:
        """Wait until it prints what matches; `None` when it ends before. Raises `FaultTestError` after the time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while True:
                    running = self.is_running
                    if match := re.search(pattern, self.said(), re.MULTILINE):
                        return match
                    if not running:
                        return None
                    await asyncio.sleep(0.02)
        raise FaultTestError(f"The {self.name} did not say {pattern!r} within {timeout_seconds:g} s.")

    def signal(self, number: int) -> None:
        """Send a signal, if it runs."""
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self, timeout_seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its end and return its exit code. Raises `FaultTestError` after the time."""
        assert self._process is not None
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._process.wait()
        except TimeoutError:
            raise FaultTestError(f"The {self.name} did not end within {timeout_seconds:g} s.") from None

    async def kill(self) -> None:
        """End it whatever state it is in, and wait for that."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()


class Engine(Program):
    """The embedded engine with its jobs in a file, always on the same port."""

    def __init__(self, directory: Path) -> None:
        super().__init__("engine", directory)
        self.database = directory / "engine.sqlite3"
        self.token_file = token_file_in(directory)
        self.port = 0
        self.flags: Sequence[str] = ()

    async def open(self) -> None:
        """Start it, or start it again, and wait until it listens."""
        await self.start(
            *("sdk.devengine", "--port", str(self.port), "--database", str(self.database)),
            *("--token-file", str(self.token_file), *self.flags),
        )
        listening = await self.wait_for(r"^devengine listening on http://\S+:(\d+)$")
        if listening is None:
            raise FaultTestError(f"The engine did not start:\n{self.said()}")
        self.port = int(listening[1])

    async def ask(self, session: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
        """Send one request past the proxy and return the JSON of its answer, `None` for an empty one."""
        url = f"http://127.0.0.1:{self.port}{path}"
        headers = {"Content-Type": "application/json", **bearer(self.token_file)}
        async with session.request(method, url, json=body, headers=headers) as response:
            if response.status >= 300:
                raise FaultTestError(f"The engine answered {method} {path} with {response.status}.")
            content = await response.read()
            return await response.json() if content else None


class Worker(Program):
    """A worker with everything that belongs to it: what was started is the keeper."""

    def __init__(self, directory: Path, engine_url: str, state_dir: Path, **settings: object) -> None:
        super().__init__("worker", directory)
        self.state_dir = state_dir
        self.temporary = directory / "tmp"
        self.temporary.mkdir(exist_ok=True)
        given = {
            "engine_url": engine_url,
            "engine_token_file": token_file_in(directory),
            "function_blocks": BLOCKS,
            "state_dir": state_dir,
            "startup_retry_seconds": 30,
            "request_timeout_seconds": 3,
            **settings,
        }
        self.flags = [
            word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))
        ]

    async def begin(self, module: str = "supervisor", *arguments: str, prefix: Sequence[str] = ()) -> None:
        """Start it and return at once."""
        environment = {"TMPDIR": str(self.temporary)}
        await self.start(module, *arguments, *self.flags, environment=environment, prefix=prefix)

    @property
    def supervisor_pid(self) -> int | None:
        """The keeper's one child while it lives; `None` when there is none."""
        children = children_of(self.pid) if self.is_running else []
        return children[0] if children else None

    @property
    def below_supervisor(self) -> dict[int, str]:
        """The supervisor's children, as pid and process name."""
        supervisor = self.supervisor_pid
        return {} if supervisor is None else {pid: name_of(pid) for pid in children_of(supervisor)}


def token_file_in(directory: Path) -> Path:
    """Return where an engine puts its token, and a worker beside it looks for it."""
    return directory / "engine.token"


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process over all its threads, the dead but unreaped included."""
    children: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += map(int, listed.read_text().split())
    return children


def name_of(pid: int) -> str:
    """Return what `ps -o comm` shows, "" for a process that is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
