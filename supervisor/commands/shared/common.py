"""What the commands share: reading settings, and saying what is wrong in one message."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from supervisor.errors import SupervisorError
from supervisor.process.shortage import is_shortage
from supervisor.settings.legacy_environment import name_in_force
from supervisor.settings.run_settings import ENV_PREFIX, parse

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(model: type[SettingsT], arguments: list[str], program: str, epilog: str = "") -> SettingsT:
    """Read the settings, or exit with status 2 and one message that names the setting and the way to set it."""
    try:
        settings = parse(model, arguments, program, epilog)
    except (UnicodeDecodeError, ValidationError) as error:
        for problem in settings_problems(error, arguments):
            print(f"{program}: {problem}", file=sys.stderr)
        if isinstance(error, ValidationError):
            print(f"Try '{program} --help'.", file=sys.stderr)
        raise SystemExit(EXIT_USAGE) from None
    return settings


def settings_problems(error: UnicodeDecodeError | ValidationError, arguments: Sequence[str]) -> list[str]:
    """Return one message for each setting that can't be used, with the ways to set it: first the one that was used."""
    if isinstance(error, UnicodeDecodeError):
        return ["the file .env in this directory is not UTF-8 text."]
    return [
        _explain(problem["loc"], str(problem["msg"]), problem["type"], arguments)
        for problem in error.errors(include_url=False, include_input=False)
    ]


def _explain(location: tuple[int | str, ...], message: str, kind: str, arguments: Sequence[str]) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0])
    flag, variable = "--" + name.replace("_", "-"), ENV_PREFIX + name.upper()
    if kind == "missing":
        return f"{flag} is missing; it can also be given as {variable}."
    old = name_in_force(name, variable)
    # A flag counts more than any variable.
    if old is not None and not any(word.partition("=")[0] == flag for word in arguments):
        return f"{old} (here {flag} or {variable}): {message}."
    return f"{flag} (or {variable}): {message}."


def run_to_exit_code(
    program: str,
    work: Callable[[], Coroutine[Any, Any, int]],
    on_error: Callable[[SupervisorError], None] | None = None,
) -> int:
    """Run ``work`` on a loop. An error of the supervisor is one message, not a traceback; ``on_error`` says it else."""
    codes: list[int] = []

    async def work_and_keep_its_code() -> None:
        codes.append(await work())

    try:
        asyncio.run(work_and_keep_its_code())
    except SupervisorError as error:
        if on_error is not None:
            on_error(error)
        else:
            print(f"{program}: {error}", file=sys.stderr)
        return EXIT_FAILED
    except RuntimeError as error:
        # To end its threads, asyncio starts one. Where that is refused, they end with this process.
        if not (codes and is_shortage(error)):
            raise
    return codes[0]
