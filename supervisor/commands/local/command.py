"""`supervisor local`: the embedded engine and the worker together, as the production of one machine."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import Field, ValidationError

from jobrunner.protocol import linux
from supervisor.commands.local.display import Display, display_for
from supervisor.commands.local.flags import flag, given_to_the_worker
from supervisor.commands.local.pair import (
    ENGINE_READY_SECONDS,
    ENGINE_STOP_SECONDS,
    WORKER_READY_SECONDS,
    Listener,
    Pair,
    PairOptions,
)
from supervisor.commands.local.places import local_state_directory, previous_worker_ended
from supervisor.commands.local.threshold import Threshold
from supervisor.commands.local.worker_lines import Line
from supervisor.commands.shared.command_settings import CommandSettings
from supervisor.commands.shared.common import EXIT_FAILED, read_settings, run_to_exit_code
from supervisor.commands.shared.program import ProgramError
from supervisor.journal.directory import take_directory
from supervisor.keeper import BOUND_SECONDS, kill_all_children
from supervisor.log.setup import LogFormat
from supervisor.process.tasks import Tasks
from supervisor.settings.command_line import parse
from supervisor.settings.run_settings import RunSettings
from supervisor.worker.notify import Notifier, extended_by
from supervisor.worker.shutdown import END_SECONDS
from supervisor.worker.signals import keeper_lost, stop_signals, turn_output_off

PROGRAM: Final = "supervisor local"
DEFAULT_PORT: Final = 3030
DEFAULT_SLOTS: Final = 4
"""A person who tries out a job must not wait for another job that takes long."""

HINT: Final = "supervisor submit BLOCK --params '{}' --wait"


RARE_FLAGS: Final = frozenset(RunSettings.model_fields) - {
    "function_blocks",
    "import_all_modules",
    "max_job_seconds",
    "max_job_memory_mb",
    "job_env",
    "log_level",
    "log_levels",
    "log_format",
}
"""Settings of the worker that only `supervisor --help` shows."""


class LocalSettings(CommandSettings):
    """Run an engine and the worker on this machine, and keep their state: for jobs without a neops engine."""

    HIDDEN_FLAGS: ClassVar = RARE_FLAGS
    ALSO_FROM_ENVIRONMENT: ClassVar = frozenset(
        {"max_concurrent_jobs", "keep_results", "shutdown_timeout_seconds"}
    )

    port: int = Field(
        default=DEFAULT_PORT,
        ge=0,
        le=65535,
        description="The engine's port on 127.0.0.1. 0 takes a free one.",
    )
    state_dir: Path = Field(
        default_factory=local_state_directory,
        description="Where jobs, results and logs are kept: one directory for each `supervisor local`. Default: "
        "systemd's StateDirectory, otherwise neops-local in XDG_STATE_HOME (~/.local/state).",
    )
    max_concurrent_jobs: int = Field(
        default=DEFAULT_SLOTS, ge=1, le=256, description="How many jobs run at a time."
    )
    shutdown_timeout_seconds: float = Field(
        default=60, ge=0, description="How long running jobs may go on after a Ctrl-C or SIGTERM."
    )
    keep_results: bool = Field(
        default=True,
        description="Also keep what ended jobs returned, masked like their logs.",
    )
    as_json: bool = Field(default=False, alias="json", description="Print JSON lines on stdout.")


_EPILOG: Final = (
    "On Ctrl-C or SIGTERM, running jobs may finish; then the worker ends, then the engine.\n"
    "On SIGHUP, the worker reads the code of the blocks and its settings again.\n"
    "Only you can use the engine: it requires the token in the file engine.token of the state directory.\n"
    "The other limits of jobs are flags here too: supervisor --help lists them.\n"
    "Example: supervisor local --function-blocks /srv/blocks"
)


def run(arguments: list[str]) -> int:
    """Run both until told to stop. Returns 0, 1 if they could not start, 2 for wrong usage."""
    settings = read_settings(LocalSettings, arguments, PROGRAM, _EPILOG)
    notifier = Notifier()
    threshold = Threshold.of(settings)
    display = display_for(
        as_json=settings.as_json, program=PROGRAM, threshold=threshold, log_format=chosen_format(settings)
    )

    async def work() -> int:
        lock = take_directory(settings.state_dir)
        try:
            await previous_worker_ended(settings.state_dir, BOUND_SECONDS)
            return await _run(settings, arguments, display, threshold, notifier)
        finally:
            lock.close()

    return run_to_exit_code(PROGRAM, work)


async def _run(
    settings: LocalSettings,
    arguments: list[str],
    display: Display,
    threshold: Threshold,
    notifier: Notifier,
) -> int:
    pair = Pair(
        PairOptions(
            "local",
            settings.state_dir,
            settings.port,
            [
                *given_to_the_worker(LocalSettings, arguments, LocalSettings.ALSO_FROM_ENVIRONMENT),
                *flag("max_concurrent_jobs", settings.max_concurrent_jobs),
                *flag("keep_results", settings.keep_results),
                *flag("shutdown_timeout_seconds", settings.shutdown_timeout_seconds),
            ],
        ),
        Reporter(display, HINT, notifier),
    )

    def stop(number: signal.Signals) -> None:
        # This wins over TimeoutStopSec=. The worker has the same settings, but no connection to systemd.
        longest = settings.shutdown_timeout_seconds + END_SECONDS + ENGINE_STOP_SECONDS
        notifier.send("STOPPING=1", extended_by(longest))
        pair.on_stop_signal(number)

    def reload() -> None:
        read_levels_again(LocalSettings, arguments, threshold)
        pair.reload()

    notifier.send(extended_by(ENGINE_READY_SECONDS + WORKER_READY_SECONDS))
    ticks = Tasks()
    ticks.start(notifier.tick_for_ever(), "tick for systemd's watchdog")
    try:
        return await run_pair(pair, stop, reload)
    finally:
        await ticks.close()


def chosen_format(settings: RunSettings) -> LogFormat | None:
    """Return the log format that a person has chosen, by flag or variable; `None` if nobody has."""
    return settings.log_format if "log_format" in settings.model_fields_set else None


def read_levels_again(model: type[RunSettings], arguments: list[str], threshold: Threshold) -> None:
    """Read the settings again, and show lines by their levels. If they can't be used, the worker says what is wrong."""
    with contextlib.suppress(ValidationError, UnicodeDecodeError, OSError):
        threshold.follow(parse(model, arguments, PROGRAM))


class Reporter(Listener):
    """Shows the messages of both, and informs systemd."""

    def __init__(self, display: Display, hint: str, notifier: Notifier | None = None) -> None:
        self._display = display
        self._hint = hint
        self._notifier = notifier

    def ready(self, url: str, text: str) -> None:
        """Show it. systemd gets the ready message once, and later starts as its status."""
        self._shown(lambda: self._display.ready(url, text, self._hint))
        if self._notifier is not None:
            self._notifier.send("READY=1", f"STATUS=engine at {url}; {text}")

    def line(self, line: Line) -> None:
        """Show it."""
        self._shown(lambda: self._display.line(line))

    def say(self, text: str) -> None:
        """Show it."""
        self._shown(lambda: self._display.say(text))

    def result(self, job: dict[str, Any], cause: str) -> None:
        """Show the result of a job."""
        self._shown(lambda: self._display.result(job, cause))

    @staticmethod
    def _shown(show: Callable[[], None]) -> None:
        try:
            show()
        except OSError:
            # Nobody reads any more (`| head`): engine and worker go on until they are told to stop.
            turn_output_off()


async def run_pair(
    pair: Pair, on_stop: Callable[[signal.Signals], None], on_hangup: Callable[[], None] | None
) -> int:
    """Run engine and worker until a signal ends them. Returns the exit code."""
    linux.become_subreaper()
    with stop_signals(on_stop, on_hangup), keeper_lost(_leave_nothing_alive):
        try:
            await pair.run()
        except ProgramError as error:
            code = pair.worker_exit_code
            # Each program's output is shown at once. But a worker that was killed, for example because it was not
            # ready in time, has not said why.
            if code is None or code < 0:
                raise ProgramError(error.reason) from None
            # The worker has said why: its log was shown.
            return max(code, EXIT_FAILED)
    return 0


def _leave_nothing_alive() -> None:
    kill_all_children(BOUND_SECONDS)
    os._exit(128 + signal.SIGKILL)
