"""What the commands share: they read settings, and report all that is wrong in one message."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, Final, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from supervisor.errors import SupervisorError
from supervisor.process.loop import Loop
from supervisor.process.proc_mount import refuse_without_proc
from supervisor.process.shortage import is_shortage
from supervisor.settings.command_line import parse
from supervisor.settings.command_parser import UnknownFlagsError
from supervisor.settings.problems import env_file_problems, explained, positional_of, settings_problems
from supervisor.settings.run_settings import ENV_PREFIX
from supervisor.settings.unknown_variables import unknown_variables

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
_STDERR: Final = 2

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(model: type[SettingsT], arguments: list[str], program: str, epilog: str = "") -> SettingsT:
    """Read the settings, or exit with status 2 and one message that names the setting and the way to set it."""
    problems: list[str] = []
    positional = positional_of(model)
    try:
        settings = parse(model, arguments, program, epilog)
        problems = env_file_problems(ENV_PREFIX)
        if not problems:
            return settings
    except (UnicodeDecodeError, OSError, ValidationError) as error:
        problems = [
            *env_file_problems(ENV_PREFIX),
            *settings_problems(error, arguments, ENV_PREFIX, positional),
        ]
        if isinstance(error, ValidationError):
            # A variable without effect may be the misspelt missing setting.
            problems += unknown_variables()
    except UnknownFlagsError as error:
        invalid = explained(error.invalid, arguments, ENV_PREFIX, positional)
        problems = [*error.unknown, *env_file_problems(ENV_PREFIX), *invalid, *unknown_variables()]
    mark = _mark_of_an_error()
    for problem in problems:
        print(f"{mark}{program}: {problem}", file=sys.stderr)
    print(f"Try '{program} --help'.", file=sys.stderr)
    raise SystemExit(EXIT_USAGE)


def _mark_of_an_error() -> str:
    """Return what makes a line an error for journald: `journalctl -p err` shows why a service does not start."""
    from supervisor.log.setup import is_read_by_journald  # most commands log nothing

    return "<3>" if is_read_by_journald(_STDERR) else ""


def run_to_exit_code(
    program: str,
    work: Callable[[], Coroutine[Any, Any, int]],
    on_error: Callable[[SupervisorError], None] | None = None,
) -> int:
    """Run `work` on a loop. An error of the supervisor becomes one message, not a traceback; `on_error` replaces it.

    Returns the result of `work`, or the error's exit code: 1, or 2 if another try can't succeed.
    """
    codes: list[int] = []

    async def work_and_keep_its_code() -> None:
        refuse_without_proc()
        codes.append(await work())

    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(work_and_keep_its_code())
    except SupervisorError as error:
        if on_error is not None:
            on_error(error)
        else:
            print(f"{program}: {error}", file=sys.stderr)
        return error.exit_code
    except RuntimeError as error:
        # asyncio starts a thread to end its threads. If that is refused, they end with this process.
        if not (codes and is_shortage(error)):
            raise
    return codes[0]


@contextlib.contextmanager
def ended_as_by_ctrl_c(*numbers: signal.Signals) -> Iterator[None]:
    """Turn these signals into an exception, so that the code inside undoes what it has begun.

    For the main thread. A signal that was ignored at the start stays ignored, for example SIGHUP under `nohup`.
    """
    before = {number: signal.getsignal(number) for number in numbers}
    meant = [number for number, action in before.items() if action is not signal.SIG_IGN]
    for number in meant:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in meant:
            signal.signal(number, before[number])


def _end(number: int, frame: FrameType | None) -> NoReturn:
    if number == signal.SIGHUP:
        # A closed terminal causes two: one from the shell, one from the kernel. The second must not interrupt anything.
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)
