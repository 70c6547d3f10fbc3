"""The embedded engine and the worker: started in this order, kept running, and stopped in the opposite order."""

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from supervisor.commands.local.announcement import Announcement, announced
from supervisor.commands.local.kept_program import KeptProgram
from supervisor.commands.local.places import (
    ENGINE_DATABASE,
    ENGINE_TOKEN_FILE,
    WORKER_DIRECTORY,
    WORKER_LOG,
    announcements_directory,
)
from supervisor.commands.local.worker_lines import READY, Line, for_people, read_line
from supervisor.commands.local.worker_log import WorkerLogFile
from supervisor.commands.shared.program import Program, path_of_our_code
from supervisor.errors import StateDirectoryError
from supervisor.process.tasks import done_before
from supervisor.settings.legacy_environment import LEGACY_NAMES
from supervisor.settings.marks import AT_LEAST_INFO_VARIABLE, closed_to_jobs

ENGINE_READY_SECONDS: Final = 30.0
WORKER_READY_SECONDS: Final = 600.0
"""Against waiting for ever: the import of each module has its own limit (`--import-seconds`)."""

ENGINE_STOP_SECONDS: Final = 10.0
_ENGINE_READY: Final = r"^devengine listening on (http://\S+)$"


@dataclass(frozen=True, slots=True)
class PairOptions:
    """What runs, and where. `port` 0 takes a free port; `worker_flags` are words of the worker's command line."""

    command: Literal["local", "dev"]
    directory: Path
    port: int
    worker_flags: Sequence[str]
    engine_flags: Sequence[str] = ()

    @property
    def token_file(self) -> Path:
        """The file with the engine's token, for the worker."""
        return self.directory / ENGINE_TOKEN_FILE


class Listener:
    """Handles the messages of both. Each method is called on the loop, as things happen."""

    def ready(self, url: str, text: str) -> None:
        """Engine and worker are ready: at the first start, and after each restart of the worker."""

    def line(self, line: Line) -> None:
        """A line of the worker's log has come."""

    def say(self, text: str) -> None:
        """The command itself has a message."""


class Pair:
    """Engine and worker. `run` is called once. The constructor raises `StateDirectoryError`."""

    def __init__(
        self,
        options: PairOptions,
        listener: Listener,
        before_worker_restart: Callable[[bool], Awaitable[None]] | None = None,
    ) -> None:
        self.stop_asked = asyncio.Event()
        self._options = options
        self._listener = listener
        self._url = ""
        self._asked_to_stop = 0
        self._worker_is_ready = False
        self._reload_asked = False
        self._file = _log_file(options.directory / WORKER_LOG)
        self._engine = KeptProgram(
            "engine",
            self._start_engine,
            ready=_ENGINE_READY,
            ready_seconds=ENGINE_READY_SECONDS,
            on_ready=self._engine_is_ready,
            say=listener.say,
        )
        self._patient = before_worker_restart is not None
        self._worker = KeptProgram(
            "worker",
            self._start_worker,
            ready=READY,
            ready_seconds=WORKER_READY_SECONDS,
            on_ready=self._worker_became_ready,
            say=listener.say,
            before_restart=before_worker_restart,
            on_wanted_end=self._worker_ended_as_wanted,
        )

    async def run(self) -> None:
        """Run both until told to stop, or the worker is. Raises `ProgramError` if one is not ready at the start.

        With a `before_worker_restart`, a worker that does not become ready is started again. Both have ended when this
        returns or raises, and when it is cancelled: then at once.
        """
        try:
            if not await done_before(self._engine.begin(), self.stop_asked):
                return
            with self._announced():
                if self._patient:
                    self._worker.begin_in_any_case()
                elif not await done_before(self._worker.begin(), self.stop_asked):
                    return
                await self.stop_asked.wait()
                if self._worker.exit_code is None:
                    self._listener.say("Stopping the worker, then the engine.")
                await self._worker.drain()
        finally:
            # The worker first, always: its results need the engine.
            await self._worker.stop(0 if not self.stop_asked.is_set() else ENGINE_STOP_SECONDS)
            await self._engine.stop(ENGINE_STOP_SECONDS)
            self._file.close()

    def on_stop_signal(self, _: signal.Signals) -> None:
        """Begin to stop. For the worker, a second and a third signal mean the same as without an engine beside it."""
        self._asked_to_stop += 1
        self.stop_asked.set()
        if self._asked_to_stop > 1:
            self._worker.signal(signal.SIGTERM)

    def reload(self) -> None:
        """Ask the worker to read blocks and settings again. A worker that is starting does so when it is ready."""
        # Before the worker has its handlers, the signal would end it.
        self._reload_asked = not self._worker_is_ready
        if self._worker_is_ready:
            self._worker.signal(signal.SIGHUP)

    @property
    def worker_exit_code(self) -> int | None:
        """The exit code of the last worker; `None` while it runs, and before."""
        return self._worker.exit_code

    def _announced(self) -> contextlib.ExitStack:
        announcement = Announcement(
            url=self._url,
            pid=os.getpid(),
            command=self._options.command,
            started_at=time.time(),
            worker_log=(self._options.directory / WORKER_LOG).absolute(),
            token_file=self._options.token_file.absolute(),
        )
        stack = contextlib.ExitStack()
        try:
            stack.enter_context(announced(announcements_directory(), announcement))
        except OSError as error:
            self._listener.say(
                f"This engine can't be announced in {announcements_directory()} ({error.strerror}): "
                f"give `supervisor submit` its address, --engine-url {self._url}, "
                f"and where its token is, --engine-token-file {self._options.token_file.absolute()}."
            )
        return stack

    def _worker_became_ready(self, match: re.Match[str]) -> None:
        self._worker_is_ready = True
        self._listener.ready(self._url, json.loads(match["text"]))
        if self._reload_asked:
            self.reload()

    def _worker_ended_as_wanted(self) -> None:
        # Started again, it would ask for jobs, and somebody has just ended it to prevent that.
        self._listener.say(
            "The worker has ended as it was told to, by `supervisor drain --exit` or a signal. Stopping the engine."
        )
        self.stop_asked.set()

    def _engine_is_ready(self, match: re.Match[str]) -> None:
        self._url = match[1]

    async def _start_engine(self) -> Program:
        # It keeps its port: the worker, and those who wait for a job, have its address.
        port = self._url.rpartition(":")[2] or str(self._options.port)
        database = self._options.directory / ENGINE_DATABASE
        words = [
            *("sdk.devengine", "--port", port, "--database", str(database)),
            # Each start puts a new token into the same file; the engine refuses --without-token together with it.
            *("--token-file", str(self._options.token_file), *self._options.engine_flags),
        ]
        return await self._start("engine", words, os.environ)

    async def _start_worker(self) -> Program:
        self._worker_is_ready = self._reload_asked = False
        words = [
            *("supervisor", "--engine-url", self._url, "--log-format", "json"),
            *("--state-dir", str(self._options.directory / WORKER_DIRECTORY)),
            *("--engine-token-file", str(self._options.token_file)),
            *self._options.worker_flags,
        ]
        # The engine's database has jobs' parameters, and `supervisor submit` sends them to the announced address.
        closed = closed_to_jobs((self._options.directory, announcements_directory()))
        environment = {**without_another_engine(os.environ), AT_LEAST_INFO_VARIABLE: "1", **closed}
        return await self._start("worker", words, environment)

    async def _start(self, name: str, words: Sequence[str], environment: Mapping[str, str]) -> Program:
        return await Program.start(
            name,
            words,
            # Safe path: the author's directory, where this was started, must not hide our packages.
            environment={**environment, **path_of_our_code(environment), "PYTHONSAFEPATH": "1"},
            directory=Path.cwd(),
            on_line=self._hear,
            for_people=for_people,
        )

    def _hear(self, program: str, text: str) -> None:
        if program == "engine":
            if re.match(_ENGINE_READY, text) is None:
                self._listener.say(f"engine: {text}")
            return
        self._file.append(text)
        self._listener.line(read_line(text))


def _log_file(path: Path) -> WorkerLogFile:
    try:
        return WorkerLogFile(path)
    except OSError as error:
        raise StateDirectoryError(
            f"The worker's log {path} can't be written: {error.strerror}. Make it so, or give another --state-dir."
        ) from error


def without_another_engine(source: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without another engine's settings, and without a proxy before this engine."""
    kept = {
        name: value
        for name, value in source.items()
        if (not name.startswith("NEOPS_ENGINE_") or name == "NEOPS_ENGINE_JOB_TIMEOUT_SECONDS")
        and LEGACY_NAMES.get(name) != "engine_url"
    }
    return {**kept, **no_proxy_for_the_loopback(source)}


def no_proxy_for_the_loopback(source: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make requests to this machine bypass a proxy."""
    before = source.get("no_proxy") or source.get("NO_PROXY") or ""
    value = ",".join(filter(None, (before, "127.0.0.1,localhost,::1")))
    return {"no_proxy": value, "NO_PROXY": value}
