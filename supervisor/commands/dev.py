"""`supervisor dev`: engine and worker while an author works. It reloads the blocks at each save."""

import asyncio
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from pydantic import Field
from pydantic_settings import CliPositionalArg

from supervisor.commands.local.command import (
    DEFAULT_SLOTS,
    HINT,
    RARE_FLAGS,
    Reporter,
    chosen_format,
    read_levels_again,
    run_pair,
)
from supervisor.commands.local.display import Display, display_for
from supervisor.commands.local.file_watcher import Watched, Watcher, what_changed
from supervisor.commands.local.flags import flag, given_to_the_worker
from supervisor.commands.local.pair import Pair, PairOptions, no_proxy_for_the_loopback
from supervisor.commands.local.results import Results
from supervisor.commands.local.sources import places_of
from supervisor.commands.local.threshold import Threshold
from supervisor.commands.local.worker_lines import Line
from supervisor.commands.shared.command_settings import CommandSettings
from supervisor.commands.shared.common import EXIT_USAGE, read_settings, run_to_exit_code
from supervisor.engine.http import EngineAccess
from supervisor.errors import StartRefusedError
from supervisor.process.tasks import Tasks

PROGRAM: Final = "supervisor dev"
_LASTING: Final = "/var/tmp"  # noqa: S108  # below it, a directory of ours
_TEMPORARY: Final = ("TMPDIR", "TEMP", "TMP")  # `tempfile` reads these
_DECIDED: Final = frozenset(
    {"function_blocks", "shutdown_timeout_seconds", "max_concurrent_jobs", "keep_results"}
)


class DevSettings(CommandSettings):
    """Run an engine and the worker here, show logs and results as they come, and reload the blocks at each save."""

    HIDDEN_FLAGS: ClassVar = RARE_FLAGS
    ALSO_FROM_ENVIRONMENT: ClassVar = frozenset({"max_concurrent_jobs", "keep_results"})

    directory: CliPositionalArg[str] = Field(
        default="",
        description="The directory, or the file, with your blocks. Default: as --function-blocks, otherwise here.",
    )
    port: int = Field(
        default=0, ge=0, le=65535, description="The engine's port on 127.0.0.1. Default: a free one."
    )
    max_concurrent_jobs: int = Field(
        default=DEFAULT_SLOTS, ge=1, le=256, description="How many jobs run at a time."
    )
    shutdown_timeout_seconds: float = Field(
        default=0, ge=0, description="How long running jobs may go on after a Ctrl-C."
    )
    keep_results: bool = Field(
        default=True,
        description="Also keep what ended jobs returned, masked like their logs.",
    )
    as_json: bool = Field(
        default=False,
        alias="json",
        description="Print JSON lines. This is the default if stdout is no terminal.",
    )


_EPILOG: Final = (
    "If the saved code can't be imported, you see file and line, and the worker keeps the code that it had.\n"
    "Running jobs finish with the old code. At the end, all state is deleted.\n"
    "The other limits of jobs are flags here too: supervisor --help lists them.\n"
    "Example: supervisor dev my_blocks, and in another terminal: supervisor submit show_version --params '{}' --wait"
)


def run(arguments: list[str]) -> int:
    """Run both until told to stop. Returns 0, 1 if the engine could not start, 2 for wrong usage."""
    settings = read_settings(DevSettings, arguments, PROGRAM, _EPILOG)
    places, further = places_of(filter(None, [settings.directory]), settings, arguments)
    if problem := next(filter(None, map(_why_unusable, places)), None):
        print(f"{PROGRAM}: {problem}", file=sys.stderr)
        return EXIT_USAGE
    # It asks for the results over the loopback: no proxy may come in between.
    os.environ.update(no_proxy_for_the_loopback(os.environ))
    as_json = settings.as_json or not sys.stdout.isatty()
    threshold = Threshold.of(settings)
    display = display_for(
        as_json=as_json, program=PROGRAM, threshold=threshold, log_format=chosen_format(settings)
    )

    async def work() -> int:
        with tempfile.TemporaryDirectory(
            prefix="neops-dev-", dir=_place_of_state(), ignore_cleanup_errors=True
        ) as name:
            sources = [*map(str, places), *further]
            return await _DevSession(settings, arguments, sources, display, threshold, Path(name)).run()

    return run_to_exit_code(PROGRAM, work)


def _why_unusable(place: Path) -> str | None:
    advice = "Give a directory of blocks, or a .py file."
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        return f"{place} does not exist. {advice}"
    except OSError as error:
        return f"{place} can't be reached ({error.strerror}). {advice}"
    if "," in str(place):  # it becomes the worker's --function-blocks
        return f"{place} has a comma in it, with which the worker's list of places is separated. Give it another name."
    return None


def _place_of_state() -> str | None:
    """Return where the state of a session is kept; `None`: in the directory for temporary files.

    Jobs can make no files in the directories above it (`--isolation kernel`). Many blocks write a file to /tmp while
    their author tries them out, few to /var/tmp.
    """
    said = any(os.environ.get(name) for name in _TEMPORARY)
    return _LASTING if not said and os.access(_LASTING, os.W_OK | os.X_OK) else None


class _DevSession(Reporter):
    """An author's session: the pair, the watcher, and the results."""

    def __init__(
        self,
        settings: DevSettings,
        arguments: list[str],
        sources: list[str],
        display: Display,
        threshold: Threshold,
        directory: Path,
    ) -> None:
        super().__init__(display, HINT)
        self._read_levels_again = partial(read_levels_again, DevSettings, arguments, threshold)
        self._results = Results(self.result)
        self._url = ""
        self._watcher = Watcher(Watched.of(filter(os.path.exists, map(os.path.expanduser, sources))))
        self._saved = asyncio.Event()
        flags = [
            *given_to_the_worker(DevSettings, arguments, _DECIDED),
            *flag("max_concurrent_jobs", settings.max_concurrent_jobs),
            *flag("keep_results", settings.keep_results),
            *flag("function_blocks", sources),
            *flag("shutdown_timeout_seconds", settings.shutdown_timeout_seconds),
            *("--poll-seconds", "0.2", "--worker-name", "dev"),
        ]
        options = PairOptions("dev", directory, settings.port, flags, ["--schemas-may-change"])
        self._token_file = options.token_file
        self._pair = Pair(options, self, self._before_restart)

    async def run(self) -> int:
        """Run until a signal ends it. Returns the exit code."""
        watching = Tasks()
        watching.keep(self._reload_at_each_save, "watch over the files")
        try:
            return await run_pair(self._pair, self._pair.on_stop_signal, self._reload)
        finally:
            await watching.close()
            await self._results.close()

    def ready(self, url: str, text: str) -> None:
        """Show it, and remember where the results are."""
        self._url = url
        super().ready(url, text)

    def line(self, line: Line) -> None:
        """Show it. If it says that a job has ended, that job has a result."""
        super().line(line)
        if self._url and (ended := line.ended) is not None:
            access = EngineAccess(self._url, token_file=self._token_file)
            try:
                self._results.expect(access, ended)
            except StartRefusedError as error:
                self.say(str(error))

    async def _reload_at_each_save(self) -> None:
        while True:
            files = await self._watcher.next_change()
            self.say(what_changed(files))
            self._saved.set()
            # A worker that does not run (yet) gets no signal: it starts with the new code.
            self._reload()

    def _reload(self) -> None:
        self._read_levels_again()
        self._pair.reload()

    async def _before_restart(self, was_ready: bool) -> None:
        if was_ready:
            return
        self.say("The worker could not start. It is started again when a file is saved.")
        # A save during its start may have come too late for it: then try again at once.
        await self._saved.wait()
        self._saved.clear()
