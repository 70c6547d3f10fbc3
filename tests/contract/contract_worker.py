"""A real worker in processes of its own, and bounded waits."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TypeVar

from tests.patience import PATIENCE_SECONDS, until

ROOT = Path(__file__).parents[2]
BLOCKS = Path(__file__).parent / "contract_blocks"
HEARTBEAT_SECONDS = 0.2

_QUICK = ("--heartbeat-seconds", str(HEARTBEAT_SECONDS), "--poll-seconds", "0.05", "--grace-seconds", "0.3")
_LIMITS = ("--max-job-seconds", "20", "--log-level", "debug")

T = TypeVar("T")


class Worker:
    """A supervisor in processes of its own. The keeper is the one that was started; see `supervisor_pid`.

    One that runs in a `terminal` writes there, and not to its log.
    """

    def __init__(
        self,
        engine_url: str,
        directory: Path,
        *flags: str,
        prefix: tuple[str, ...] = (),
        terminal: int | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.state_dir = directory / "state"
        self._log_file = directory / f"log-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "supervisor", "--engine-url", engine_url]
        command += ["--state-dir", str(self.state_dir), "--function-blocks", f"{BLOCKS},blocks.echo"]
        with self._log_file.open("wb") as log:
            # Nothing of this environment: a developer's own settings would change what is tested.
            environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(ROOT)}
            self._process = subprocess.Popen(
                [*prefix, *command, *_QUICK, *_LIMITS, *flags],
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=log if terminal is None else terminal,
                stderr=log if terminal is None else terminal,
                cwd=directory,
                env=environment,
            )

    @property
    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def keeper_pid(self) -> int:
        return self._process.pid

    @property
    def supervisor_pid(self) -> int:
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    async def ready(self) -> None:
        await until(lambda: "event=worker_ready" in self.log or not self.runs, "the worker is ready")
        assert self.runs, self.log

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def signal(self, *numbers: signal.Signals) -> None:
        """Send signals to the process that was started, as an operator does."""
        for number in numbers:
            self._process.send_signal(number)

    async def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        await until(lambda: not self.runs, "the worker has ended", seconds)
        return self._process.wait()

    def kill(self) -> None:
        """End it, whatever state it is in."""
        with contextlib.suppress(OSError, IndexError):
            os.kill(self.supervisor_pid, signal.SIGKILL)
        try:
            self._process.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=PATIENCE_SECONDS)
