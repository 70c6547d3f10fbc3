"""A real worker as a process, for tests of the whole way: engine, worker, job, result."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sdk.testing.child_coverage import ChildCoverage
from sdk.testing.errors import HarnessError

_START_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.1
_SHOWN_CHARS: Final = 8000

# Not imported: only the worker needs the modules behind it.
_PARENT_DEATH: Final = "supervisor.commands.shared.parent_death"

_QUICK: Final[dict[str, Any]] = {
    "poll_seconds": 0.1,
    "max_job_seconds": 60,
    "grace_seconds": 1,
    "shutdown_timeout_seconds": 5,
}
"""Settings that keep tests from waiting. A test's own settings replace them."""

_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


class SupervisorProcess:
    """`supervisor` for one engine, as long as the context lasts. Its end stops the worker as an operator would.

    `settings` are those of `supervisor --help`, by their names: `{"max_concurrent_jobs": 4}`. `directory` is
    for its state, its log and the jobs' directories. Its environment is PATH, locale and what `environment` adds, so
    a developer's own settings change no test.

    If the main thread has started the worker, it is killed with all processes below it when the tests are killed.
    """

    def __init__(
        self,
        engine_url: str,
        directory: Path,
        settings: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._settings = {"engine_url": engine_url, "state_dir": directory / "state", **_QUICK, **settings}
        self._job_env = parts_of(self._settings.pop("job_env", ()))
        self._environment = dict(environment or {})
        self._log_file = directory / "supervisor.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._coverage = ChildCoverage()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """The log of the worker so far. Secrets of jobs are masked in it, as always."""
        return self._log_file.read_text("utf-8", errors="replace") if self._log_file.exists() else ""

    @property
    def pid(self) -> int:
        """The number of the process that was started: a signal to it is a signal to the worker.

        Raises `HarnessError` before the start.
        """
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether the worker was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the worker and wait until it is registered with the engine, with all its blocks.

        Raises `HarnessError` with its log if it ends before that, or is not ready within a minute.
        """
        with _ready_socket() as (ready, address):
            self._directory.mkdir(parents=True, exist_ok=True)
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
            measuring = self._coverage.environment()
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603  # our own interpreter
                    _command({**self._settings, "job_env": [*self._job_env, *measuring]}),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Here is no .env of a developer, and no package called `supervisor`.
                    cwd=self._directory,
                    env={
                        **environment,
                        "HOME": str(self._directory),
                        **self._environment,
                        **measuring,
                        "NOTIFY_SOCKET": address,
                        "PYTHONSAFEPATH": "1",
                    },
                    start_new_session=True,
                )
            try:
                self._wait_until_ready(ready)
            except BaseException:
                self.stop()
                raise

    def _wait_until_ready(self, ready: socket.socket) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if (
                select.select([ready], [], [], _LOOK_SECONDS)[0]
                and b"READY=1" in ready.recv(4096).splitlines()
            ):
                return
            if not self.is_running:
                code = self._running().returncode
                raise HarnessError(
                    f"The worker ended with exit code {code}.\n{self._tail()}", kind="not_started"
                )
        raise HarnessError(
            f"The worker was not ready within {_START_SECONDS:g} s.\n{self._tail()}", kind="not_started"
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the worker, as an operator would."""
        self._running().send_signal(number)

    def wait(self, timeout_seconds: float = _STOP_SECONDS) -> int:
        """Wait for the end of a worker that was told to stop. Return its exit code. Raises `TimeoutError`."""
        try:
            return self._running().wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"The worker runs still, {timeout_seconds:g} s later.\n{self._tail()}"
            ) from None

    def stop(self) -> None:
        """Stop the worker by SIGTERM. If it does not end in time, kill it with all that it has started."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill(self._process)
        self._coverage.collect()

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        # This kills the supervisor. The keeper, which was started here, then clears everything away.
        with contextlib.suppress(OSError):
            for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            return
        process.kill()
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise HarnessError("The worker was not started yet.", kind="not_started")
        return self._process

    def _tail(self) -> str:
        return f"Its log:\n{self.log[-_SHOWN_CHARS:]}"


def parts_of(setting: Any) -> list[str | os.PathLike[str]]:
    """Return the values of a setting with several values, in any form: a text has commas between them."""
    if isinstance(setting, str):
        return [part for part in map(str.strip, setting.split(",")) if part]
    if isinstance(setting, os.PathLike):
        return [setting]
    return [part for each in setting for part in parts_of(each)]


def _command(settings: Mapping[str, Any]) -> list[str]:
    command = [sys.executable, "-m", *_tied_to_this_process(), "supervisor"]
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            command.append(f"--{flag}" if value else f"--no-{flag}")
        elif not isinstance(value, list | tuple):
            command += [f"--{flag}", str(value)]
        elif value:
            command += [f"--{flag}", ",".join(map(str, value))]
    return command


def _tied_to_this_process() -> tuple[str, ...]:
    """Return the command that starts the worker and makes it end with this process, however this process ends.

    Tests that are killed, or end by `os._exit` (at a time-out of pytest-timeout), stop no worker: it would ask an
    engine that is gone for jobs, for ever. The kernel watches the thread that has started the worker (prctl(2)), and
    only the main thread surely lives as long as the tests.
    """
    if threading.current_thread() is not threading.main_thread():
        return ()
    return _PARENT_DEATH, str(os.getpid())


@contextlib.contextmanager
def _ready_socket() -> Iterator[tuple[socket.socket, str]]:
    """A socket like systemd's (sd_notify(3)): the worker itself reports on it that it is ready, not its log."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ready:
        # Abstract, with a name from the kernel: a path below a test's directory may be too long for a socket.
        ready.bind("")
        yield ready, "@" + ready.getsockname()[1:].decode()
