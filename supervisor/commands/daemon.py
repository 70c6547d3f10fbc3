"""`supervisor [flags]`: the daemon."""

import faulthandler
import logging
import os
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from supervisor.cli import COMMAND_GROUPS, COMMANDS
from supervisor.commands.owned_names import refuse_foreign_owners
from supervisor.commands.shared.common import read_settings, run_to_exit_code
from supervisor.errors import ReloadRefusedError, SupervisorError
from supervisor.log.event import tell
from supervisor.log.events.worker import SettingIgnored, StartRefused
from supervisor.log.setup import start_logging
from supervisor.process.disk_thread import DiskThread
from supervisor.process.shortage import explain, is_shortage
from supervisor.process.threads import unended_threads
from supervisor.settings import env_file
from supervisor.settings.command_line import parse
from supervisor.settings.legacy_environment import NamesForBlocks
from supervisor.settings.marks import AT_LEAST_INFO_VARIABLE
from supervisor.settings.origins import origins_of
from supervisor.settings.problems import env_file_problems, settings_problems
from supervisor.settings.run_settings import ENV_PREFIX, DaemonSettings
from supervisor.settings.unknown_variables import unknown_variables
from supervisor.worker.daemon import Daemon
from supervisor.worker.notify import Notifier

PROGRAM = "supervisor"

READING_SECONDS: Final = 5.0
"""How long a reload waits for the disk on which `.env` is."""

_log = logging.getLogger(__name__)


def run(arguments: list[str]) -> int:
    """Run the daemon until it is told to stop."""
    # When systemd's watchdog gets no message, the keeper sends SIGABRT to see where this process hangs.
    faulthandler.enable(2)
    names = NamesForBlocks()
    settings = read_settings(DaemonSettings, arguments, PROGRAM, _epilog())
    settings.come_from(origins_of(DaemonSettings, arguments, ENV_PREFIX))
    settings = in_force(settings, names)
    notifier = Notifier()
    log = start_logging(settings.log_level_number, settings.log_level_numbers, settings.log_format)

    for problem in unknown_variables():
        tell(_log, SettingIgnored(problem=problem))

    async def work() -> int:
        refuse_foreign_owners()
        reader = SettingsReader(arguments, names, settings)
        try:
            code = await Daemon(settings, notifier, reader.read).run()
        except SupervisorError as error:
            if not unended_threads():
                raise
            tell(_log, StartRefused(reason=str(error)))
            code = error.exit_code
        finally:
            await reader.close()
        if unended_threads():
            # A disk does not answer: the ends of the loop and of the interpreter would wait for it.
            log.stop()
            os._exit(code)
        return code

    is_written = False
    try:
        code = run_to_exit_code(PROGRAM, work, lambda error: tell(_log, StartRefused(reason=str(error))))
    finally:
        is_written = log.stop()
    if not is_written:
        # Nobody reads the log: its thread waits in the kernel, and nothing after this may wait for it.
        os._exit(code)
    return code


class SettingsReader:
    """Reads the settings again while the worker works. The worker's loop waits for no disk."""

    def __init__(self, arguments: list[str], names: NamesForBlocks, in_use: DaemonSettings) -> None:
        self._arguments = arguments
        self._names = names
        self._files = [path for path in vars(in_use).values() if isinstance(path, Path)]
        self._files += map(Path, in_use.writable_paths)
        self._disk = DiskThread("settings", READING_SECONDS)

    async def read(self) -> DaemonSettings:
        """Return the current settings. Raises `ReloadRefusedError`."""
        try:
            text = await self._disk.call(env_file.read)
        except (UnicodeDecodeError, OSError) as error:
            problems = settings_problems(error, self._arguments, ENV_PREFIX)
            raise ReloadRefusedError(" ".join(problems), retryable=is_shortage(error)) from error
        try:
            # The code below reads them again. If a disk hangs, it hangs here first, within a time limit.
            await self._disk.call(_look_at, self._files)
        except OSError as error:
            raise _refused("The files that the settings name can't be found", error) from error
        with env_file.held(text):
            return _read_again(self._arguments, self._names)

    async def close(self) -> None:
        """End its thread."""
        await self._disk.close(READING_SECONDS)


def _look_at(files: list[Path]) -> None:
    for file in files:
        file.exists()


def _read_again(arguments: list[str], names: NamesForBlocks) -> DaemonSettings:
    """Read the settings again. Raises `ReloadRefusedError`."""
    if problems := env_file_problems(ENV_PREFIX):
        raise ReloadRefusedError(" ".join(problems))
    try:
        with names.withdrawn():
            settings = parse(DaemonSettings, arguments, PROGRAM)
            settings.come_from(origins_of(DaemonSettings, arguments, ENV_PREFIX))
            settings.leave_out(unknown_variables())
        return in_force(settings, names)
    except (UnicodeDecodeError, ValidationError) as error:
        raise ReloadRefusedError(" ".join(settings_problems(error, arguments, ENV_PREFIX))) from None
    except OSError as error:  # no descriptor is left for .env, or it can't be read any more
        raise _refused("The settings can't be read", error) from error


def _refused(what: str, error: OSError) -> ReloadRefusedError:
    reason = explain(error) if is_shortage(error) else f"{error}."
    return ReloadRefusedError(f"{what}: {reason}", retryable=is_shortage(error))


def in_force(settings: DaemonSettings, names: NamesForBlocks) -> DaemonSettings:
    """Return the settings as the worker uses them, and let its jobs see them by their old names."""
    settings.job_env = list(dict.fromkeys((*settings.job_env, *names.publish(settings))))
    return heard_by_a_command(settings)


def heard_by_a_command(settings: DaemonSettings) -> DaemonSettings:
    """Return the settings. If a command reads this worker's log, the log gets the lines that the command looks for."""
    if AT_LEAST_INFO_VARIABLE in os.environ:
        if settings.log_level_number > logging.INFO:
            settings.log_level = "info"
        settings.log_levels = [*settings.log_levels, *_own_lines(settings)]
    return settings


def _own_lines(settings: DaemonSettings) -> list[str]:
    """Return the levels with which the log has every line of the worker itself from INFO on."""
    return [
        f"{name}=info"
        for name, level in settings.log_level_numbers.items()
        if name.partition(".")[0] == "supervisor" and level > logging.INFO
    ]


def _epilog() -> str:
    width = max(map(len, COMMANDS))
    commands = "\n".join(
        f"\n{title}:\n" + "\n".join(f"  supervisor {name:{width}}  {text}" for name, text in group.items())
        for title, group in COMMAND_GROUPS.items()
    )
    return (
        f"Every flag can be given in the environment as {ENV_PREFIX} + its name, such as "
        f"{ENV_PREFIX}MAX_JOB_SECONDS, or in a file .env.\n"
        f"Without a command, the daemon runs. Commands (each has its own --help):\n{commands}\n\n"
        "Exit codes of every command: 0 all is well, 1 failed, 2 wrong usage, 74 if the output can't be written, 141 "
        "if nobody reads it any more, as with `| head`, 130 after Ctrl-C and 143 after SIGTERM. Commands that run "
        "until they are stopped, such as `local`, end with 0 then. supervisor --version prints the version.\n\n"
        "Example: supervisor --engine-url http://engine:3030 --function-blocks /srv/blocks"
    )
